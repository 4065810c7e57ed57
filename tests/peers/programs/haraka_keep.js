// A Haraka plugin: keep each queued message as a file in config/keep_folder, as a queue plugin reads it.
const fs = require('node:fs')
const path = require('node:path')

let number = 0

exports.hook_queue = function (next, connection) {
  const folder = this.config.get('keep_folder')
  const name = process.pid + '-' + String(number++).padStart(6, '0') // a killed one starts again
  const unfinished = path.join(path.dirname(folder), '.' + name)
  const file = fs.createWriteStream(unfinished)
  file.once('close', () => {
    fs.renameSync(unfinished, path.join(folder, name))
    next(OK)
  })
  connection.transaction.message_stream.pipe(file)
}
