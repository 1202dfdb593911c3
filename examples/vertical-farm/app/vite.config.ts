import { defineConfig } from "vite";
import { page } from "../../../console/build/page.ts";

export default defineConfig(page({ base: "/", budgetKb: 250 }));
