import "./board.css";
import { LiveProvider } from "@lakemill/console/live";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Board } from "./Board.tsx";
import { TABLES } from "./tables.ts";

// The board is served at <prefix>/apps/vertical-farm/, and the API at <prefix>/api/.
const api = import.meta.env.DEV
  ? new URL("/api/", document.baseURI)
  : new URL("../../api/", document.baseURI);

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <LiveProvider api={api} tables={Object.values(TABLES)}>
      <Board />
    </LiveProvider>
  </StrictMode>,
);
