/** The part of Razorpay's `ifsc` package that is used here; it ships no types. */
declare module "ifsc" {
  const ifsc: {
    /** Whether a branch with this code exists. Needs eleven characters; does not look at the network. */
    validate(code: string): boolean;
  };
  export default ifsc;
}
