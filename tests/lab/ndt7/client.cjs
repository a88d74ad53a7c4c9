// Runs M-Lab's own client (npm @m-lab/ndt7) in node against a server in plain text, and prints what it came to.
// use: node --experimental-websocket client.cjs FOLDER-OF-THE-PACKAGE HOST:PORT
'use strict';
const path = require('node:path');
const threads = require('node:worker_threads');

const [folder, server] = process.argv.slice(2);

// The client wants the workers of a browser: a script of its own, `onmessage` on both sides, data in an event.
globalThis.Worker = class {
  constructor(file) {
    const shim = `
      const { parentPort } = require('node:worker_threads');
      globalThis.self = globalThis;
      globalThis.postMessage = (data) => parentPort.postMessage(data);
      require(${JSON.stringify(file)});
      parentPort.on('message', (data) => globalThis.onmessage({ data }));
    `;
    const execArgv = ['--experimental-websocket', '--no-warnings'];
    this.thread = new threads.Worker(shim, { eval: true, execArgv });
    this.thread.on('message', (data) => this.onmessage({ data }));
    this.thread.on('error', (error) => this.onmessage({ data: { MsgType: 'error', Error: String(error) } }));
  }
  postMessage(data) { this.thread.postMessage(data); }
  terminate() { this.thread.terminate(); }
};

const ndt7 = require(path.join(folder, 'src/ndt7.js'));
const workers = {
  downloadworkerfile: path.join(folder, 'src/ndt7-download-worker.js'),
  uploadworkerfile: path.join(folder, 'src/ndt7-upload-worker.js'),
};
const result = {};
const part = (key) => ({ LastClientMeasurement: client, LastServerMeasurement: server }) => {
  result[key] = { client, server };
};
ndt7.test(
  { server, protocol: 'ws', mlabDataPolicyInapplicable: true, ...workers },
  {
    error: (error) => { result.error = String(error); },
    downloadComplete: part('download'),
    uploadComplete: part('upload'),
  },
).then((code) => {
  console.log(JSON.stringify({ code, ...result }));
  process.exit(0);
});
