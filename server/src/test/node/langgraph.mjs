// LangGraph's own Postgres saver at the front door, unchanged, as an ordinary principal.
// Arguments: host:port, schema; environment: PRINCIPAL, TOKEN.

import assert from "node:assert/strict";
import { MessagesAnnotation, StateGraph } from "@langchain/langgraph";
import { PostgresSaver } from "@langchain/langgraph-checkpoint-postgres";
import pg from "pg";

const [host, port] = process.argv[2].split(":");
const schema = process.argv[3];
const database = {
  host,
  port: Number(port),
  database: "lakemill",
  user: process.env.PRINCIPAL,
  password: process.env.TOKEN,
  ssl: { rejectUnauthorized: false },
};
const pool = new pg.Pool(database);

const saver = new PostgresSaver(pool, undefined, { schema });
await saver.setup();
await saver.setup();
const graph = new StateGraph(MessagesAnnotation)
  .addNode("answer", ({ messages }) => ({
    messages: [{ role: "assistant", content: `heard ${messages.length}` }],
  }))
  .addEdge("__start__", "answer")
  .compile({ checkpointer: saver });
const thread = { configurable: { thread_id: "t" } };
for (const content of ["one", "two"]) {
  await graph.invoke({ messages: [{ role: "user", content }] }, thread);
}
const state = await graph.getState(thread);
assert.deepEqual(
  state.values.messages.map((message) => message.content),
  ["one", "heard 1", "two", "heard 3"],
);
const history = [];
for await (const checkpoint of saver.list(thread)) history.push(checkpoint);
assert.equal(history.length, 6);

await pool.end();
console.log("all well");
process.exit(0);
