// Node's `tls` as a peer: one connection with the options of amqplib's document, and what it saw.
//
// Loaded by the small scripts that the tests write, which hold the document's options word for word.
'use strict';

const net = require('net');
const tls = require('tls');

const CLIENT_SAYS = 'hello from the client\n';
const SERVER_SAYS = 'hello from the server\n';
const PATIENCE_MS = 30000;

// The trace goes to the standard error, and so do the reports: otherwise each could cut the lines of the other.
const tell = console.error;

// What amqplib does with an `amqps:` URL: the options go to tls.connect() with the host, port and name of the URL.
exports.connect = function (url, opts) {
  const { hostname: host, port } = new URL(url.replace(/^amqps:/, 'https:'));
  const servername = opts.servername || (net.isIP(host) ? undefined : host);
  const socket = tls.connect({ ...opts, host, servername, port: Number(port) }, () => socket.write(CLIENT_SAYS));
  converse(socket, SERVER_SAYS, () => {});
};

// A broker with the same kind of options; it leaves after one connection.
exports.serve = function (opts) {
  const server = tls.createServer(opts, (socket) => converse(socket, CLIENT_SAYS, () => socket.write(SERVER_SAYS)));
  server.on('tlsClientError', fail);
  server.on('connection', () => server.close());
  server.listen(0, '127.0.0.1', () => tell(`listening ${server.address().port}`));
};

function converse(socket, expected, answer) {
  let heard = '';
  // The trace is what tells a close_notify from a connection that was cut off.
  socket.enableTrace();
  socket.setTimeout(PATIENCE_MS, () => fail(new Error('timeout')));
  socket.on('error', fail);
  socket.on('data', (data) => {
    heard += data;
    if (heard === expected) answer();
  });
  socket.on('end', () => {
    const subject = socket.getPeerCertificate().subject || {};
    const { standardName } = socket.getCipher() || {};
    const facts = [socket.getProtocol(), standardName, subject.CN || 'none', `alpn=${socket.alpnProtocol}`];
    tell(`heard ${heard.trim()}\ndone ${facts.join(' ')}`);
  });
}

function fail(error) {
  tell(error);
  process.exit(1);
}
