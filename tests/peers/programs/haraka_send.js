// A Haraka plugin: hand each text that comes in on config/send_port to outbound.send_email, one JSON object a line.
const net = require('node:net')
const readline = require('node:readline')
const outbound = require('./outbound')

function send(socket, { from, to, raw }) {
  outbound.send_email(from, to, Buffer.from(raw, 'base64').toString(), (code, text) => {
    socket.write(JSON.stringify({ accepted: code === OK, text: String(text) }) + '\n')
  })
}

exports.register = function () {
  const server = net.createServer(socket => {
    readline.createInterface({ input: socket }).on('line', line => send(socket, JSON.parse(line)))
  })
  server.listen(Number(this.config.get('send_port')), '127.0.0.1')
}
