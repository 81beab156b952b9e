import { describe, expect, it } from "vitest";
import {
  addBankAccount,
  addContact,
  addVpa,
  call,
  errorOf,
  itemsOf,
  openSandbox,
  pay,
} from "./support.ts";

const bank = { name: "Asha Verma", ifsc: "HDFC0000053", account_number: "50100000000001" };

describe("fund accounts", () => {
  it("hold bank details or a VPA", async () => {
    const sandbox = await openSandbox();
    const ofBank = await call(sandbox, `GET /fund_accounts/${await addBankAccount(sandbox)}`);
    expect(ofBank.body).toMatchObject({
      id: expect.stringMatching(/^fa_[0-9a-z]{14}$/) as string,
      entity: "fund_account",
      account_type: "bank_account",
      bank_account: bank,
      active: true,
    });
    const ofVpa = await call(sandbox, `GET /fund_accounts/${await addVpa(sandbox)}`);
    expect(ofVpa.body).toMatchObject({
      account_type: "vpa",
      vpa: { username: "asha", handle: "examplebank", address: "asha@examplebank" },
    });
  });

  it("are the same for identical details of one contact, and new for any other", async () => {
    const sandbox = await openSandbox();
    const first = await addBankAccount(sandbox);
    expect(await addBankAccount(sandbox)).toBe(first);
    expect(await addBankAccount(sandbox, { accountNumber: "50100000000002" })).not.toBe(first);
    const contactId = await addContact(sandbox, { reference_id: "consultant-2" });
    expect(await addBankAccount(sandbox, { contactId })).not.toBe(first);
  });

  it.each([
    [{ contact_id: "cont_unknown" }, "contact_id"],
    [{ account_type: "card" }, "account_type"],
    [{ bank_account: undefined }, "bank_account"],
    [{ vpa: { address: "a@b" } }, "vpa"],
    [{ bank_account: { ...bank, name: "Al" } }, "name"],
    [{ bank_account: { ...bank, name: "x".repeat(121) } }, "name"],
    [{ bank_account: { ...bank, ifsc: "HDFC1000053" } }, "ifsc"],
    [{ bank_account: { ...bank, ifsc: "HDFC000053" } }, "ifsc"],
    [{ bank_account: { ...bank, account_number: "1234" } }, "account_number"],
    [{ bank_account: { ...bank, account_number: "1".repeat(36) } }, "account_number"],
    [{ bank_account: { ...bank, account_number: "1234-5678" } }, "account_number"],
    [{ bank_account: { ...bank, branch: "Pune" } }, "branch"],
    [{ bank_account: undefined, account_type: "vpa", vpa: { address: "asha" } }, "address"],
    [{ bank_account: undefined, account_type: "vpa", vpa: { address: "a@b@c" } }, "address"],
    [
      { bank_account: undefined, account_type: "vpa", vpa: { address: `a@${"b".repeat(99)}` } },
      "address",
    ],
  ])("are refused with %j, naming the field and not its value", async (change, field) => {
    const sandbox = await openSandbox();
    const contactId = await addContact(sandbox);
    const body = {
      contact_id: contactId,
      account_type: "bank_account",
      bank_account: bank,
      ...change,
    };
    const error = errorOf(await call(sandbox, "POST /fund_accounts", { body }));
    expect(error).toMatchObject({ field });
    expect(JSON.stringify(error)).not.toContain(bank.account_number);
  });

  it("change in nothing but active", async () => {
    const sandbox = await openSandbox();
    const id = await addBankAccount(sandbox);
    const patch = (body: object) => call(sandbox, `PATCH /fund_accounts/${id}`, { body });
    expect((await patch({ active: false })).body).toMatchObject({ id, active: false });
    expect(errorOf(await patch({ bank_account: bank }))).toMatchObject({ field: "bank_account" });
    expect(errorOf(await patch({}))).toMatchObject({ field: "active" });
    expect(errorOf(await pay(sandbox, id))).toMatchObject({ field: "fund_account_id" });
    await patch({ active: true });
    expect((await pay(sandbox, id)).status).toBe(200);
  });

  it("cannot be added to an inactive contact", async () => {
    const sandbox = await openSandbox();
    const contactId = await addContact(sandbox);
    await call(sandbox, `PATCH /contacts/${contactId}`, { body: { active: false } });
    const body = { contact_id: contactId, account_type: "bank_account", bank_account: bank };
    expect(errorOf(await call(sandbox, "POST /fund_accounts", { body }))).toMatchObject({
      field: "contact_id",
    });
  });

  it("are listed by contact and by type", async () => {
    const sandbox = await openSandbox();
    const bankId = await addBankAccount(sandbox);
    const vpaId = await addVpa(sandbox);
    const contactId = await addContact(sandbox, { reference_id: "consultant-2" });
    const otherId = await addBankAccount(sandbox, { contactId });
    const listed = async (query: string) =>
      itemsOf(await call(sandbox, `GET /fund_accounts${query}`)).map((item) => item["id"]);
    expect(await listed("")).toEqual([otherId, vpaId, bankId]);
    expect(await listed(`?contact_id=${contactId}`)).toEqual([otherId]);
    expect(await listed("?account_type=vpa")).toEqual([vpaId]);
  });
});
