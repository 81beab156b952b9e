import { openDatabase } from "../../../../lib/db/client.ts";
import { readTrialBalance } from "../../../../lib/ledger/trial-balance.ts";
import {
  cancelledEvent,
  dashboardRefund,
  dispute,
  lostWebhook,
  offerWithoutMail,
} from "./bookings.ts";
import { changedAccount, lateReversal, nightlyChecks, seedSales, toldPayees } from "./payouts.ts";
import { openWorld, type ScenesStage, type World } from "./world.ts";

const SCENES: readonly { title: string; play: (world: World) => Promise<void> }[] = [
  { title: "The webhook of a payment is lost; 16 minutes later", play: lostWebhook },
  { title: "Half of a payment is refunded in the provider's dashboard", play: dashboardRefund },
  { title: "A sale of weeks ago is disputed, and the dispute is lost", play: dispute },
  { title: "An event is cancelled as one thing", play: cancelledEvent },
  { title: "A seat is offered while the mail server is away", play: offerWithoutMail },
  { title: "A payee's account is changed after the approval", play: changedAccount },
  { title: "A payout of 40 days ago comes back", play: lateReversal },
  { title: "Payees are told, and have a statement of the month", play: toldPayees },
  { title: "The nightly checks find what does not fit", play: nightlyChecks },
];

/**
 * What goes wrong between the jobs, one scene each, on a marketplace of its own: the jobs run as separate processes,
 * and each sentence that is shown is read from the database.
 *
 * @returns whether each scene came to its expected end
 */
export async function demonstrateScenes(stage: ScenesStage): Promise<boolean> {
  stage.say("Writing a second marketplace, for what goes wrong between the jobs");
  const { world, close } = await openWorld(stage);
  try {
    await seedSales(world);
    for (const { title, play } of SCENES) {
      console.log(`\n${title}`);
      await play(world);
    }
    const balanced = await doBooksBalance(stage.databaseUrl);
    console.log(`\nBooks of this marketplace balance: ${balanced ? "yes" : "NO"}.`);
    return balanced && world.isAsExpected();
  } finally {
    await close();
  }
}

async function doBooksBalance(url: string): Promise<boolean> {
  const options = { url, applicationName: "afterhours demo", readOnly: true, connections: 1 };
  const db = openDatabase(options);
  try {
    const { balanced, payableDriftPaise } = await readTrialBalance(db);
    return balanced && payableDriftPaise === 0n;
  } finally {
    await db.close();
  }
}
