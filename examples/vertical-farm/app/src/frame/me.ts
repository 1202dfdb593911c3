import { useQuery } from "@tanstack/react-query";
import { getMe, type Me } from "../api.ts";

/** Who is logged in; undefined until the backend has said it. */
export function useMe(): Me | undefined {
  return useQuery({ queryKey: ["me"], queryFn: getMe, staleTime: 60_000 }).data;
}
