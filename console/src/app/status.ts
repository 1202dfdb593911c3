import { useQuery } from "@tanstack/react-query";
import { fetchStatus, type Status } from "../live/index.ts";

const API = new URL("/api/", document.baseURI);

/** The server's status, asked for once a second for as long as somebody looks. */
export function useStatus() {
  return useQuery<Status>({
    queryKey: ["status"],
    queryFn: ({ signal }) => fetchStatus(API, signal),
    refetchInterval: 1_000,
    retry: false,
    // The newest figures stay on the page while the server is away.
    staleTime: 0,
  });
}
