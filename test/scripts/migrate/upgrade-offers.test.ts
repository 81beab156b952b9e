import { rm } from "node:fs/promises";
import pg from "pg";
import { expect, inject, it } from "vitest";
import { OUR_FOLDERS, readMigrations } from "../../../scripts/cli/schema/migration-files.ts";
import { migrate } from "../../../scripts/dev/migrate/apply.ts";
import { withScratchDatabase } from "../../../scripts/dev/migrate/scratch-database.ts";
import { seedPlan, seedWaiting } from "../../../scripts/dev/seed/bookings.ts";
import { copyOfOurFolders } from "./folders.ts";

const ours = readMigrations(OUR_FOLDERS).migrationDirectories.map(({ path }) => path);
const OFFERS = "20261130234100_offers_once_told";

it("an upgrade to offers that count from their mail keeps the end of each, but of those whose mail still waits", async () => {
  const folders = copyOfOurFolders();
  try {
    for (const name of ours.slice(ours.indexOf(OFFERS))) {
      await rm(`${folders.migrationsDir}/${name}`, { recursive: true });
    }
    await withScratchDatabase(inject("postgresUrl"), async (url) => {
      await migrate({ url, folders });
      const plan = await seedPlan({ url }, { capacity: 5 });
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      try {
        const ids: Record<string, string> = {};
        for (const mail of ["SENT", "QUEUED", "LAPSED", "GAVE_UP", "none"]) {
          const offer = await seedWaiting(
            { url },
            { plan, status: "NOTIFIED", expiresInHours: mail === "QUEUED" ? -1 : 5 },
          );
          ids[mail] = offer.entryId;
          if (mail === "none") continue;
          await client.query(
            `INSERT INTO outbox_mails (key, user_id, template, data, status, settled_at)
             VALUES ('waitlist-offer:' || $1, $2, 'waitlist-offer', '{}', $3::mail_status,
                     CASE WHEN $3 <> 'QUEUED' THEN now() END)`,
            [offer.entryId, offer.userId, mail],
          );
        }
        await migrate({ url });

        const { rows } = await client.query<Record<string, unknown>>(
          `SELECT entry.id, told_at IS NOT NULL AS told, expires_at = plan.starts_at AS "untilBeginning",
                  round(extract(epoch FROM expires_at - now()) / 3600)::int = 5 AS "asBefore",
                  offer_ms BETWEEN 82000000 AND 105000000 AS "itsLength"
           FROM waitlist_entries AS entry JOIN plans AS plan ON plan.id = plan_id`,
        );
        const byId = new Map(rows.map(({ id, ...row }) => [id, row]));
        const kept = { untilBeginning: false, asBefore: true, itsLength: true };
        expect(byId.get(ids["SENT"])).toEqual({ told: true, ...kept });
        expect(byId.get(ids["none"])).toEqual({ told: true, ...kept });
        expect(byId.get(ids["LAPSED"])).toEqual({ told: false, ...kept });
        expect(byId.get(ids["GAVE_UP"])).toEqual({ told: false, ...kept });
        expect(byId.get(ids["QUEUED"])).toEqual({
          told: false,
          untilBeginning: true,
          asBefore: false,
          itsLength: true,
        });
      } finally {
        await client.end();
      }
    });
  } finally {
    folders.remove();
  }
});
