import fc from "fast-check";

const oneOf = (characters: string) => fc.constantFrom(...Array.from(characters));
const letters = (count: number) =>
  fc.string({
    unit: oneOf("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    minLength: count,
    maxLength: count,
  });
const digits = (least: number, most = least) =>
  fc.string({ unit: oneOf("0123456789"), minLength: least, maxLength: most });
const word = fc.string({
  unit: oneOf("abcdefghijklmnopqrstuvwxyz0123456789"),
  minLength: 3,
  maxLength: 12,
});

export const pan = fc
  .tuple(letters(5), digits(4), letters(1))
  .map(([head, middle, tail]) => head + middle + tail);
export const accountNumber = digits(9, 18);
export const phone = digits(9).map((rest) => `+919${rest}`);
export const vpa = fc
  .tuple(word, fc.constantFrom("okbank", "upi", "ybl"))
  .map(([user, handle]) => `${user}@${handle}`);
export const email = word.map((user) => `${user}.person@mail.example.in`);

/** Personal data of every kind that the redactor knows by its shape. */
export const personal = fc.oneof(pan, accountNumber, phone, vpa, email);

/** Sentences as errors of databases, providers and our own code write them around a value. */
export const sentence = fc.constantFrom(
  (value: string) => value,
  (value: string) => `account ${value} was refused`,
  (value: string) => `refused: ${value}.`,
  (value: string) => `account:${value}`,
  (value: string) => `a/c-${value}`,
  (value: string) => `row 12:${value}-`,
  (value: string) => `account=${value}, ifsc=ABCD0000001`,
  (value: string) => `Key (account_number)=(${value}) already exists.`,
  (value: string) => `{"account_number":"${value}"}`,
  (value: string) => `payee '${value}';retry`,
  (value: string) => `first line\n${value}\nthird line`,
  (value: string) => `${value}, ${value} and <${value}>`,
);

/** A log field of which nobody thought that it could hold anything private. */
export const fieldName = fc.constantFrom("detail", "payee", "response", "notes", "value", "item");
