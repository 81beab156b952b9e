import { defineConfig } from "prisma/config";

// Paths are relative to this file. The address of the database is given to each client when it
// is made, never here: generating the client needs no database.
export default defineConfig({
  schema: "../prisma/schema",
  migrations: { path: "../prisma/migrations" },
});
