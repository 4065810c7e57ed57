// Run with node: send each message that is asked for on standard input, one JSON object a line.
// Called as: nodemailer_send.js NODE_MODULES PORT; ends with its input.
const path = require('node:path')
const readline = require('node:readline')
const [modules, port] = process.argv.slice(2)
const nodemailer = require(path.join(modules, 'nodemailer'))

const TIMEOUT = 20000

async function send({ from, to, raw }) {
  const transport = nodemailer.createTransport({
    host: '127.0.0.1',
    port: Number(port),
    secure: false,
    ignoreTLS: true,
    name: 'inside.test',
    greetingTimeout: TIMEOUT,
    socketTimeout: TIMEOUT
  })
  try {
    const done = await transport.sendMail({ envelope: { from, to }, raw: Buffer.from(raw, 'base64') })
    return { accepted: true, text: done.response }
  } catch (error) {
    return { accepted: false, text: String(error.message) }
  } finally {
    transport.close()
  }
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await send(JSON.parse(line))))
  }
}

main()
