// A client of Node's that sends one message or receives one, over TLS with a certificate.
//
//   node client.js stomp|amqp PORT IDENTITY TRUST send|receive QUEUE [TEXT]
//
// IDENTITY and TRUST are PEM files, the first with certificate and key. Prints "sent", "received: TEXT", or "failed: " with
// the code and the reason that Node gives, and ends with 1 then. It gives up after half a minute.
'use strict';

const fs = require('fs');
const rhea = require('rhea');
const stompit = require('stompit');

const [protocol, port, identity, trust, verb, queue, text] = process.argv.slice(2);
const certificate = fs.readFileSync(identity);
const tls = {
  host: 'localhost',
  servername: 'localhost',
  port: Number(port),
  ca: [fs.readFileSync(trust)],
  cert: certificate,
  key: certificate,
  rejectUnauthorized: true,
};

const patience = setTimeout(() => fail(new Error('nothing has come for half a minute')), 30000);

function fail(error) {
  console.log(`failed: ${error.code || error.condition || ''} ${error.message || error.description || error}`);
  process.exit(1);
}

function done(line) {
  console.log(line);
  clearTimeout(patience);
}

function stomp() {
  stompit.connect({ ...tls, ssl: true, timeout: 30000 }, (error, client) => {
    if (error) {
      fail(error);
      return;
    }
    if (verb === 'send') {
      const onReceipt = () => {
        done('sent');
        client.disconnect();
      };
      client.send({ destination: `/queue/${queue}` }, { onReceipt }).end(text);
      return;
    }
    client.subscribe({ destination: `/queue/${queue}`, ack: 'auto' }, (refusal, message) => {
      if (refusal) {
        fail(refusal);
        return;
      }
      message.readString('utf-8', (broken, body) => {
        if (broken) {
          fail(broken);
          return;
        }
        done(`received: ${body}`);
        client.disconnect();
      });
    });
  });
}

function amqp() {
  const container = rhea.create_container();
  const address = `queue://${queue}`;
  const ends = (context) => fail(context.error || context.connection.error || new Error('the broker closed the connection'));
  container.on('connection_error', ends);
  container.on('disconnected', ends);
  container.on('accepted', (context) => {
    done('sent');
    context.connection.close();
  });
  container.on('message', (context) => {
    const { body } = context.message;
    done(`received: ${body.content || body}`);
    context.connection.close();
  });
  // rhea connects with the options of Node's tls; a user without a password is anonymous to SASL.
  const connection = container.connect({ ...tls, transport: 'tls', username: 'anonymous', reconnect: false });
  if (verb === 'send') {
    container.once('sendable', (context) => context.sender.send({ body: text }));
    connection.open_sender(address);
  } else {
    connection.open_receiver(address);
  }
}

if (protocol === 'stomp') {
  stomp();
} else {
  amqp();
}
