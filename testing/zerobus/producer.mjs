// Sends rows with Databricks' own client, unchanged: the Apache-2.0 binary that its TypeScript SDK
// wraps. What to send comes as JSON in the first argument; what happened goes out as JSON, a line each.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const PACKAGE = "@databricks/zerobus-ingest-sdk-linux-x64-gnu";
const { ZerobusSdk } = createRequire(import.meta.url)(PACKAGE);
const wanted = JSON.parse(process.argv[2]);
const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function open() {
  const sdk = new ZerobusSdk(wanted.endpoint, wanted.ucUrl);
  if (wanted.format === "arrow") {
    const table = { tableName: wanted.table, schemaFields: wanted.fields };
    return sdk.createArrowStream(table, wanted.id, wanted.secret, wanted.options);
  }
  const table = { tableName: wanted.table, descriptorProto: wanted.descriptor };
  const recordType = wanted.format === "json" ? 0 : 1;
  return sdk.createStream(table, wanted.id, wanted.secret, { recordType, ...wanted.options });
}

// The rows of one request: a file of Arrow's, bytes of a message, or JSON.
const payload = (row) => {
  switch (wanted.format) {
    case "arrow":
      return readFileSync(row);
    case "proto":
      return Buffer.from(row, "base64");
    default:
      return row;
  }
};

async function send(stream, rows) {
  let last;
  if (wanted.format === "arrow") {
    for (const file of rows) last = await stream.ingestBatch(payload(file));
  } else if (wanted.batch) {
    last = await stream.ingestRecordsOffset(rows.map(payload));
  } else {
    for (const row of rows) last = await stream.ingestRecordOffset(payload(row));
  }
  await stream.waitForOffset(last);
  say({ event: "acked", offset: Number(last), rows: rows.length });
}

try {
  const stream = await open();
  say({ event: "opened" });
  try {
    for (const rows of wanted.rounds) {
      await send(stream, rows);
      // Between rounds the test does something to the server, then says so.
      if (wanted.paced) await lines.next();
    }
    await stream.flush();
  } finally {
    await stream.close();
  }
  say({ event: "closed" });
} catch (error) {
  say({ event: "failed", message: String(error?.message ?? error) });
}
process.exit(0);
