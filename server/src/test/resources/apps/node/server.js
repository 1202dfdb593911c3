const http = require('http');
const fs = require('fs');
const crypto = require('crypto');

const routes = {
  '/health': (_, r) => r.end('ok'),
  '/told': (q, r) => r.end(JSON.stringify({headers: q.headers, url: q.url, env: process.env,
    uid: process.getuid(), arguments: process.argv.slice(2)})),
  '/cookies': (_, r) => {
    r.setHeader('set-cookie', ['lakemill=evil; Path=/', 'LAKEMILL_app_1=evil', '__Host-lakemill=evil',
      'own=1; Domain=localhost; Path=/']);
    r.end('set');
  },
  '/events': (q, r) => {
    r.writeHead(200, {'content-type': 'text/event-stream'});
    r.write('data: first\n\n');
    const timer = setInterval(() => r.write('data: next\n\n'), 200);
    q.on('close', () => clearInterval(timer));
  },
  '/slow': (q) => {
    console.log('slow: here');
    q.on('close', () => console.log('slow: gone'));
  },
  '/crash': () => process.exit(3),
  '/break': (q) => q.socket.destroy(),
  '/length': (q, r) => {
    let n = 0;
    q.on('data', (d) => { n += d.length; });
    q.on('end', () => r.end(String(n)));
  },
  '/read': (q, r) => {
    try {
      r.end('READ ' + fs.readdirSync(decodeURIComponent(q.url.split('?')[1])).join());
    } catch (e) {
      if (e.code !== 'ENOTDIR') { r.end(e.code); return; }
      try {
        r.end('READ ' + fs.readFileSync(decodeURIComponent(q.url.split('?')[1])));
      } catch (f) { r.end(f.code); }
    }
  },
};

const server = http.createServer((q, r) => {
  const route = routes[q.url.split('?')[0]];
  if (route) { route(q, r); } else { r.statusCode = 404; r.end('none'); }
});
server.on('upgrade', (q, socket) => {
  const accept = crypto.createHash('sha1')
    .update(q.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
  socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
    + 'Sec-WebSocket-Accept: ' + accept + '\r\n\r\n' + q.headers['x-forwarded-preferred-username'] + '\n');
  socket.on('data', (d) => socket.write(d));
  socket.on('error', () => {});
});
process.on('SIGTERM', () => { console.log('draining'); process.exit(0); });
server.listen(process.env.DATABRICKS_APP_PORT, '127.0.0.1', () => console.log('listening'));
