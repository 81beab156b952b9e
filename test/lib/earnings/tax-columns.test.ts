import pg from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { importEarnings, readEarningsFile, type ImportReport } from "../../../lib/earnings/index.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
