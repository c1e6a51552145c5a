// Node's `tls` as a peer of tests/peers/run.sh: one connection, and the words of its failure as one line.
//
//   node peer.js connect PORT VERSION CERTIFICATE TRUST SUITE ALPN
//   node peer.js serve 0 VERSION CERTIFICATE TRUST SUITE ALPN
//
// CERTIFICATE is the common part of NAME.pem and NAME.key; `-` stands for none. A server prints its port first.
'use strict';

const fs = require('fs');
const net = require('net');
const tls = require('tls');

const PATIENCE_MS = 20000;
const [role, port, version, certificate, trust, suite, alpn] = process.argv.slice(2);

const options = { ca: fs.readFileSync(trust) };
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
  // An error's text may repeat its code; OpenSSL's starts with the number of a thread and ends with a line break.
  say(`${error.code} ${error.message}`);
}

function watch(socket) {
  socket.setTimeout(PATIENCE_MS, () => say('timeout'));
  socket.on('error', fail);
  socket.on('close', () => say('closed without an error'));
  socket.on('data', (data) => say(`received ${data.length} bytes`));
}

if (role === 'plain') {
  watch(net.connect(Number(port), '127.0.0.1', function () { this.write('GET / HTTP/1.1\r\n\r\n'); }));
} else if (role === 'connect') {
  watch(tls.connect({ ...options, host: '127.0.0.1', port: Number(port), servername: 'localhost' }));
} else {
  const server = tls.createServer({ ...options, requestCert: true, rejectUnauthorized: true }, watch);
  server.on('tlsClientError', fail);
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
}
