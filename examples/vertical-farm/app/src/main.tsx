import "./app.css";
import { LiveProvider } from "@lakemill/console/live";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { API, getMe } from "./api.ts";
import { told } from "./refused.ts";
import { router } from "./routes.tsx";
import { TABLES } from "./tables.ts";

const queries = new QueryClient();

/** The backend says why nothing comes when it is asked anything at all. */
async function explain(): Promise<string | null> {
  await getMe().catch((error) => {
    throw told(error);
  });
  return null;
}

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <LiveProvider api={API} tables={Object.values(TABLES)} explain={explain}>
        <RouterProvider router={router} />
      </LiveProvider>
    </QueryClientProvider>
  </StrictMode>,
);
