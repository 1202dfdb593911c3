// node-pg-migrate at the front door: up, nothing to do, a failure that leaves nothing, down.
// Argument: host:port; environment: PRINCIPAL, TOKEN.

import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runner } from "node-pg-migrate";
import pg from "pg";

const [host, port] = process.argv[2].split(":");
const database = {
  host,
  port: Number(port),
  database: "lakemill",
  user: process.env.PRINCIPAL,
  password: process.env.TOKEN,
  ssl: { rejectUnauthorized: false },
};
const dir = mkdtempSync(join(tmpdir(), "migrations-"));
const migration = (name, text) => writeFileSync(join(dir, `${name}.cjs`), text);
const migrate = (direction, more = {}) =>
  runner({
    databaseUrl: database,
    dir,
    direction,
    schema: "notes",
    migrationsSchema: "notes",
    migrationsTable: "pgmigrations",
    log: () => {},
    ...more,
  });

migration(
  "1_notes",
  `exports.up = (pgm) => {
    pgm.createTable("notes", {
      id: "id",
      text: { type: "text", notNull: true },
      written_at: { type: "timestamptz", default: pgm.func("now()") },
    });
    pgm.createIndex("notes", "written_at");
    pgm.sql("INSERT INTO notes (text) VALUES ('sow'), ('water')");
  };
  exports.down = (pgm) => pgm.dropTable("notes");`,
);
migration(
  "2_tags",
  `exports.up = (pgm) => {
    pgm.createTable("tags", {
      note: { type: "integer", notNull: true, references: "notes", onDelete: "CASCADE" },
      tag: { type: "varchar(40)", notNull: true },
    });
    pgm.addConstraint("tags", "tags_pkey", { primaryKey: ["note", "tag"] });
    pgm.addColumn("notes", { done: { type: "boolean", notNull: true, default: false } });
    pgm.sql("INSERT INTO tags SELECT id, 'green' FROM notes");
  };
  exports.down = (pgm) => {
    pgm.dropTable("tags");
    pgm.dropColumn("notes", "done");
  };`,
);
assert.equal((await migrate("up")).length, 2);
assert.equal((await migrate("up")).length, 0);

migration(
  "3_broken",
  `exports.up = (pgm) => {
    pgm.createTable("extra", { id: "id" });
    pgm.sql("INSERT INTO tags VALUES (99, 'no such note')");
  };`,
);
await assert.rejects(migrate("up"), /tags_note_fkey/);

const client = new pg.Client(database);
await client.connect();
const ask = async (sql) => (await client.query(sql)).rows[0].answer;
assert.equal(await ask("SELECT to_regclass('notes.extra') AS answer"), null);
assert.equal(await ask("SELECT count(*)::int AS answer FROM notes.tags"), 2);
await client.end();

assert.equal((await migrate("down", { file: "2_tags", checkOrder: false })).length, 1);
console.log("all well");
