// A Haraka plugin: relay everything to config/next_hop by Haraka's own outbound queue.
exports.hook_connect = function (next, connection) {
  connection.relaying = true
  next()
}

exports.hook_rcpt = function (next, connection) {
  connection.relaying = true
  next(OK)
}

exports.hook_get_mx = function (next) {
  next(OK, { exchange: '127.0.0.1', port: Number(this.config.get('next_hop')), priority: 0 })
}
