// Serves one file to every client, on a port of its own of this machine: the place that certificates name as their
// distribution point. Prints the port, then each request.
'use strict';
const fs = require('fs');
const [file] = process.argv.slice(2);
const server = require('http').createServer((request, response) => {
  console.log(`${request.method} ${request.url}`);
  response.setHeader('Content-Type', 'application/pkix-crl');
  response.end(fs.readFileSync(file));
});
server.listen(0, '127.0.0.1', () => console.log(`listens at ${server.address().port}`));
