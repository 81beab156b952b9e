import { describe, expect, it } from "vitest";
import { csv, defaultColumns, problemsOf, read, row } from "./builders.ts";

const good = csv([row()]);
const headerOf = (text: string): string => text.split("\n")[0] ?? "";
const withHeader = (header: string): string => good.replace(headerOf(good), header);

describe("the header row", () => {
  it("ignores case, spaces, underscores, hyphens and anything in brackets", async () => {
    const headings =
      "Consultant,NAME,Pan,Category,IFSC,Account Number,VPA,booking-reference,Credit Date [IST],Gross (INR, excl. GST),PLATFORM  FEE (₹),Resident,Aadhaar (yes/no),PAN status";
    // A comma inside brackets has to be quoted, as everywhere in CSV.
    const header = headings.replace("Gross (INR, excl. GST)", '"Gross (INR, excl. GST)"');

    expect((await read(withHeader(header))).problems).toEqual([]);
  });

  it("knows aliases, and columns in any order", async () => {
    const columns = [...defaultColumns].reverse();
    const text = csv([row()], columns)
      .replace("consultant", "Consultant ID")
      .replace("booking_reference", "Booking ID")
      .replace("account_number", "Account No")
      .replace("platform_fee", "Commission");

    const file = await read(text);

    expect(file.problems).toEqual([]);
    expect(file.rows).toHaveLength(1);
  });

  it("does without the optional columns, and without either kind of account", async () => {
    const optional = ["name", "resident", "aadhaar", "pan_status"];
    const required = defaultColumns.filter((column) => !optional.includes(column));
    const bank = required.filter((column) => column !== "vpa");
    const upi = required.filter((column) => column !== "ifsc" && column !== "account_number");

    expect((await read(csv([row()], bank))).problems).toEqual([]);
    expect((await read(csv([row({ vpa: "asha@demobank" })], upi))).problems).toEqual([]);
  });

  it("names every unknown, repeated and missing column", async () => {
    const header = headerOf(good)
      .replace("resident", "Favourite colour")
      .replace("aadhaar", "Consultant Code")
      .replace("credit_date", "")
      .replace("account_number", "consultant ref");

    expect(await problemsOf(withHeader(header))).toEqual([
      'week.csv:1 column consultant: occurs twice (heading "consultant ref")',
      "week.csv:1: column 9 has no heading",
      expect.stringContaining(
        'week.csv:1: unknown column "Favourite colour" at position 12; known',
      ),
      'week.csv:1 column consultant: occurs twice (heading "Consultant Code")',
      "week.csv:1 column credit_date: the column is missing",
      "week.csv:1 column account_number: the column is missing; the file has the other half",
    ]);
  });

  it("asks for an account when neither kind has a column", async () => {
    const columns = defaultColumns.filter((name) => !/ifsc|account|vpa/.test(name));

    expect(await problemsOf(csv([row()], columns))).toEqual([
      "week.csv:1: columns ifsc and account_number, or vpa, are missing",
    ]);
  });

  it("shows no value of a file that has no header", async () => {
    const [printed, ...more] = await problemsOf(good.split("\n").slice(1).join("\n"));

    expect(more).toEqual([]);
    expect(printed).toMatch(/^week\.csv:1: the first row holds no known column/);
    expect(printed).not.toMatch(/912345678901|ZZZPE/);
  });

  it("never shows a heading that could be a value", async () => {
    const header = headerOf(good)
      .replace("resident", "asha@demobank")
      .replace("aadhaar", "9123456");

    const printed = (await problemsOf(withHeader(header))).join("\n");

    expect(printed).toContain("unknown column (not shown) at position 12");
    expect(printed).not.toMatch(/demobank|9123456/);
  });

  it("says so when values are separated by semicolons or tabs", async () => {
    expect(await problemsOf(good.replaceAll(",", ";"))).toEqual([
      "week.csv:1: values are separated by semicolons; export the file with commas",
    ]);
    expect(await problemsOf(good.replaceAll(",", "\t"))).toEqual([
      "week.csv:1: values are separated by tabs; export the file with commas",
    ]);
  });
});
