/**
 * Account numbers in the sample that the demo's provider fails, so that the demo shows the result of such
 * payouts. Like all account numbers of the sample, they are made up.
 */

/** The provider refuses a payout to these. Consultants C-013, C-046, C-071 and C-088. */
export const refusedAccounts: string[] = [
  "90010000000013",
  "90010000000046",
  "90010000000071",
  "90010000000088",
];

/** The provider takes a payout to these and the answer never arrives. Consultant C-059. */
export const timeoutAccounts: string[] = ["90020000000059"];
