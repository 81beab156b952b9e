/** Papers for finance: the register of a quarter, tax to be deposited, and deposited tax. */
export { readAccrual, type Accrual, type AccruedTax, type Unassessed } from "./accrual.ts";
export { parseChallan, type ChallanNumber } from "./challan-reference.ts";
export { readChallans, type Challan, type Challans } from "./challans.ts";
export { recordDeposit, type Deposit } from "./deposit.ts";
export { readDepositsOf, type ChallansOf, type DepositedChallan } from "./deposits-of.ts";
export { depositDueOn, parseQuarter, type Quarter } from "./periods.ts";
export { accruedLines, withheldLines, type RegisterLine } from "./register.ts";
export { proveRegister, type RegisterProof } from "./register-proof.ts";
