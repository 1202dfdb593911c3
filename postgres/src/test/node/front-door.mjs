// Node-postgres at the front door. Arguments: port, certificate file; environment: ALICE_TOKEN.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import pg from "pg";

const [port, certificate] = process.argv.slice(2);
const alice = {
  host: "localhost",
  port: Number(port),
  database: "lakemill",
  user: "alice",
  password: process.env.ALICE_TOKEN,
  ssl: { ca: readFileSync(certificate, "utf8") },
};

// A pool, prepared statements, and a transaction.
const pool = new pg.Pool({ ...alice, max: 3 });
const named = { name: "twice", text: "SELECT 2 * $1::int AS twice, session_user AS me" };
const rows = await Promise.all(
  Array.from({ length: 50 }, (_, i) => pool.query({ ...named, values: [i] })),
);
assert.deepEqual(
  rows.map((r) => r.rows[0].twice),
  Array.from({ length: 50 }, (_, i) => 2 * i),
);
assert.equal(rows[0].rows[0].me, "alice");
const client = await pool.connect();
await client.query("BEGIN");
await client.query("INSERT INTO state.t VALUES (-7, $1)", ["node"]);
const inside = await client.query("SELECT text FROM state.t WHERE id = -7");
assert.equal(inside.rows[0].text, "node");
await client.query("ROLLBACK");
client.release();

// Notifications.
const listener = new pg.Client(alice);
await listener.connect();
await listener.query("LISTEN greenhouse");
const heard = new Promise((resolve) => listener.once("notification", resolve));
await pool.query("SELECT pg_notify('greenhouse', 'warm')");
assert.equal((await heard).payload, "warm");
await listener.end();
await pool.end();

// A wrong token, and no trust in the certificate.
await assert.rejects(new pg.Client({ ...alice, password: "guess" }).connect(), {
  code: "28P01",
  hint: /\.\/lakemill token/,
});
await assert.rejects(new pg.Client({ ...alice, ssl: true }).connect(), {
  code: "DEPTH_ZERO_SELF_SIGNED_CERT",
});

console.log("all well");
