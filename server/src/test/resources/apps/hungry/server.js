const http = require('http');

const eaten = [];
http.createServer((q, r) => {
  const [path, query] = q.url.split('?');
  if (path === '/eat') {
    for (let mb = 0; mb < Number(query); mb++) eaten.push(Buffer.alloc(1 << 20, 1));
  } else if (path === '/say') {
    console.log('said ' + query);
  } else if (path === '/events') {
    r.writeHead(200, {'content-type': 'text/event-stream'});
    const timer = setInterval(() => r.write('data: next\n\n'), 100);
    q.on('close', () => clearInterval(timer));
    return;
  }
  r.end(process.pid + ' has eaten ' + eaten.length);
}).listen(process.env.DATABRICKS_APP_PORT, '127.0.0.1');
