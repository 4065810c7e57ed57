// Run with node: smtp-server keeps each message as a file, byte for byte as it hands it over.
// Called as: smtp_server.js NODE_MODULES PORT FOLDER
const fs = require('node:fs')
const path = require('node:path')
const [modules, port, folder] = process.argv.slice(2)
const { SMTPServer } = require(path.join(modules, 'smtp-server'))

const SIZE_LIMIT = 200000
let number = 0

function keep(content) {
  const name = process.pid + '-' + String(number++).padStart(6, '0') // a killed one starts again
  const unfinished = path.join(path.dirname(folder), '.' + name)
  fs.writeFileSync(unfinished, content)
  fs.renameSync(unfinished, path.join(folder, name))
}

function onData(stream, session, answer) {
  const blocks = []
  stream.on('data', block => blocks.push(block))
  stream.on('end', () => {
    if (stream.sizeExceeded) {
      return answer(Object.assign(new Error('Message exceeds fixed maximum message size'), { responseCode: 552 }))
    }
    keep(Buffer.concat(blocks))
    answer(null, 'OK queued')
  })
}

const server = new SMTPServer({
  disabledCommands: ['STARTTLS', 'AUTH'],
  authOptional: true,
  size: SIZE_LIMIT,
  disableReverseLookup: true,
  logger: false,
  onData
})
server.on('error', error => console.error('error', error.message)) // else a reset connection ends the process
server.listen(Number(port), '127.0.0.1')
