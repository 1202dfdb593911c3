// LangGraph's own Postgres store at the front door, unchanged, as an ordinary principal: with the
// function and the trigger that its setup makes.
// Arguments: host:port, schema; environment: PRINCIPAL, TOKEN.

import assert from "node:assert/strict";
import { PostgresStore } from "@langchain/langgraph-checkpoint-postgres/store";
import pg from "pg";

const [host, port] = process.argv[2].split(":");
const schema = process.argv[3];
const connectionOptions = {
  host,
  port: Number(port),
  database: "lakemill",
  user: process.env.PRINCIPAL,
  password: process.env.TOKEN,
  ssl: { rejectUnauthorized: false },
};

const client = new pg.Client(connectionOptions);
await client.connect();

const store = new PostgresStore({ connectionOptions, schema });
await store.setup();
await store.put(["user", "ada"], "likes", { crop: "basil", grams: 500 });
await store.put(["user", "ada"], "knows", { crop: "mint" });
await store.put(["user", "eve"], "likes", { crop: "dill" });
const before = await store.get(["user", "ada"], "likes");
assert.deepEqual(before.value, { crop: "basil", grams: 500 });
await store.put(["user", "ada"], "likes", { crop: "cress", grams: 20 });
const after = await store.get(["user", "ada"], "likes");
assert.deepEqual(after.value, { crop: "cress", grams: 20 });
assert.ok(after.updatedAt > before.updatedAt);
const { rows } = await client.query(
  `SELECT tgname FROM pg_trigger WHERE tgrelid = '${schema}.store'::regclass ORDER BY 1`,
);
assert.ok(rows.some(({ tgname }) => tgname === "update_store_updated_at"));
assert.deepEqual(after.createdAt, before.createdAt);
const found = await store.search(["user", "ada"], { filter: { crop: "cress" } });
assert.deepEqual(
  found.map(({ key }) => key),
  ["likes"],
);
const namespaces = await store.listNamespaces({ prefix: ["user"] });
assert.deepEqual(namespaces.map((path) => path.join("/")).sort(), ["user/ada", "user/eve"]);
await store.delete(["user", "eve"], "likes");
assert.equal(await store.get(["user", "eve"], "likes"), null);

await client.end();
console.log("all well");
process.exit(0);
