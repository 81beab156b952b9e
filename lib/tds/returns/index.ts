/** What finance hands in: the register of a quarter, what is to be deposited, and what was. */
export { readChallans, type Challan } from "./challans.ts";
export { recordDeposit, type Deposit } from "./deposit.ts";
export { depositDueOn, parseQuarter, type Quarter } from "./periods.ts";
export { proveRegister, registerLines, type RegisterLine, type RegisterProof } from "./register.ts";
