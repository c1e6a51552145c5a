// mqtt.js and amqplib as clients of tests/peers/run.sh: one connection, and the words of its failure as one line.
//
//   node clients.js mqtt|amqplib PORT VERSION CERTIFICATE TRUST SUITE ALPN
//
// CERTIFICATE is the common part of NAME.pem and NAME.key; `-` stands for none. NODE_PATH names the folder of both.
'use strict';

const fs = require('fs');

const PATIENCE_MS = 20000;
const [library, port, version, certificate, trust, suite, alpn] = process.argv.slice(2);

const options = { ca: [fs.readFileSync(trust)], servername: 'localhost' };
if (version !== '-') options.minVersion = options.maxVersion = version;
if (certificate !== '-') {
  options.cert = fs.readFileSync(`${certificate}.pem`);
  options.key = fs.readFileSync(`${certificate}.key`);
}
if (suite !== '-') options.ciphers = suite;
if (alpn !== '-') options.ALPNProtocols = [alpn];

function say(text) {
  console.log(text);
  process.exit(0);
}

function fail(error) {
  say(`${error.code} ${error.message}`);
}

setTimeout(() => say('timeout'), PATIENCE_MS);
if (library === 'mqtt') {
  const client = require('mqtt').connect(`mqtts://127.0.0.1:${port}`, { ...options, reconnectPeriod: 0 });
  client.on('error', fail);
  client.on('close', () => say('closed without an error'));
} else {
  require('amqplib').connect(`amqps://127.0.0.1:${port}`, { ...options, host: '127.0.0.1' })
    .then(() => say('connected'), fail);
}
