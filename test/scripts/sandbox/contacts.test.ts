import { describe, expect, it } from "vitest";
import { addContact, call, errorOf, idOf, itemsOf, manualClock, openSandbox } from "./support.ts";

describe("contacts", () => {
  it("are created, fetched and answered with every documented field", async () => {
    const sandbox = await openSandbox({ clock: manualClock() });
    const id = await addContact(sandbox, { email: "asha@example.com", notes: { team: "yoga" } });
    const { body } = await call(sandbox, `GET /v1/contacts/${id}`);
    expect(body).toEqual({
      id: expect.stringMatching(/^cont_[0-9a-z]{14}$/) as string,
      entity: "contact",
      name: "Asha Verma",
      contact: null,
      email: "asha@example.com",
      type: "vendor",
      reference_id: "consultant-1",
      batch_id: null,
      active: true,
      notes: { team: "yoga" },
      created_at: Date.parse("2026-11-02T10:00:00Z") / 1000,
    });
  });

  it("are the same contact when name, email, contact, type and reference_id are equal", async () => {
    const sandbox = await openSandbox();
    const first = await addContact(sandbox, { notes: { a: "1" } });
    expect(await addContact(sandbox, { notes: { b: "2" } })).toBe(first);
    for (const change of [
      { name: "Asha Varma" },
      { email: "a@example.com" },
      { contact: "9000000000" },
      { type: "customer" },
      { reference_id: "consultant-2" },
    ])
      expect(await addContact(sandbox, change)).not.toBe(first);
  });

  it("answer empty notes as an empty array", async () => {
    const sandbox = await openSandbox();
    const body = { name: "Asha Verma", notes: {} };
    expect((await call(sandbox, "POST /contacts", { body })).body["notes"]).toEqual([]);
  });

  it.each([
    [{ name: undefined }, "name"],
    [{ name: "Al" }, "name"],
    [{ name: "x".repeat(51) }, "name"],
    [{ name: "Asha & Co" }, "name"],
    [{ type: "consultant" }, "type"],
    [{ reference_id: "r".repeat(41) }, "reference_id"],
    [{ notes: { a: "x".repeat(257) } }, "notes"],
    [{ notes: Object.fromEntries(Array.from({ length: 16 }, (_, n) => [`k${n}`, "v"])) }, "notes"],
    [{ email: "not an address" }, "email"],
    [{ nickname: "A" }, "nickname"],
  ])("are refused with %j, naming the field", async (change, field) => {
    const sandbox = await openSandbox();
    const body = { name: "Asha Verma", type: "vendor", ...change };
    expect(errorOf(await call(sandbox, "POST /contacts", { body }))).toMatchObject({
      code: "BAD_REQUEST_ERROR",
      source: "business",
      step: null,
      reason: "input_validation_failed",
      metadata: {},
      field,
    });
  });

  it("accept a name of 3 and of 50 characters with every allowed sign", async () => {
    const sandbox = await openSandbox();
    for (const name of ["Raj", "O’Neil - _/().9".padEnd(50, "z")])
      expect((await call(sandbox, "POST /contacts", { body: { name } })).status).toBe(200);
  });

  it("are changed by PATCH, which leaves what it does not mention", async () => {
    const sandbox = await openSandbox();
    const id = await addContact(sandbox);
    const patched = await call(sandbox, `PATCH /contacts/${id}`, {
      body: { name: "Asha V Verma", active: false },
    });
    expect(patched.body).toMatchObject({
      id,
      name: "Asha V Verma",
      active: false,
      reference_id: "consultant-1",
    });
    // The old details are free again, and the new ones are this contact's.
    expect(await addContact(sandbox)).not.toBe(id);
    expect(await addContact(sandbox, { name: "Asha V Verma" })).toBe(id);
  });

  it("are listed newest first, filtered and paged", async () => {
    const sandbox = await openSandbox();
    const ids: string[] = [];
    for (let n = 0; n < 12; n++)
      ids.unshift(await addContact(sandbox, { reference_id: `consultant-${n}` }));
    const listed = async (query: string) =>
      itemsOf(await call(sandbox, `GET /contacts${query}`)).map((item) => item["id"]);
    expect(await listed("")).toEqual(ids.slice(0, 10));
    expect(await listed("?count=3&skip=2")).toEqual(ids.slice(2, 5));
    expect(await listed("?reference_id=consultant-0")).toEqual([ids[11]]);
    expect(await listed("?reference_id=nobody")).toEqual([]);
    expect(await listed("?active=false")).toEqual([]);
  });

  it("that do not exist are a 400", async () => {
    const sandbox = await openSandbox();
    expect(errorOf(await call(sandbox, "GET /contacts/cont_unknown"))).toMatchObject({
      description: "The id provided does not exist",
    });
  });
});

describe("the way in", () => {
  it("asks for the key id and the secret", async () => {
    const sandbox = await openSandbox({ keyId: "rzp_test_a", keySecret: "b" });
    const wrong = `Basic ${Buffer.from("rzp_test_a:c").toString("base64")}`;
    for (const authorization of [wrong, "", "Bearer x"])
      expect(errorOf(await call(sandbox, "GET /contacts", { authorization }), 401)).toMatchObject({
        code: "BAD_REQUEST_AUTHENTICATION_ERROR",
      });
    expect((await call(sandbox, "GET /contacts")).status).toBe(200);
  });

  it("is the same with and without /v1", async () => {
    const sandbox = await openSandbox();
    const id = idOf(await call(sandbox, "POST /v1/contacts", { body: { name: "Asha Verma" } }));
    expect(idOf(await call(sandbox, `GET /contacts/${id}`))).toBe(id);
  });

  it("answers 400, as the provider does, to a call that the API does not have", async () => {
    const sandbox = await openSandbox();
    for (const route of [
      "GET /payout",
      "DELETE /payouts/pout_1",
      "POST /payouts/pout_1/approve",
      "GET /fund_accounts/validations",
      "POST /fund_accounts/validations",
    ])
      expect(errorOf(await call(sandbox, route), 400)).toMatchObject({
        code: "BAD_REQUEST_ERROR",
        description: "The requested URL was not found on the server.",
        source: null,
        reason: null,
      });
  });

  it("refuses a body that is not a JSON object or is too large", async () => {
    const sandbox = await openSandbox();
    for (const rawBody of ["{", "[]", "null", '"text"'])
      errorOf(await call(sandbox, "POST /contacts", { rawBody }));
    errorOf(await call(sandbox, "POST /contacts", { rawBody: " ".repeat(1_000_001) }), 413);
  });
});
