/** The papers of a payee that lower or raise tax: relief for a PAN, certificates, the mark of a large year. */
export {
  faultInTerms,
  maskedNumber,
  parseCertificateNumber,
  parseRate,
  type CertificateTerms,
} from "./certificate-terms.ts";
export {
  addCertificate,
  endCertificate,
  listCertificates,
  type CertificateChange,
  type ListedCertificate,
} from "./certificates.ts";
export { readHigherRateTaken, type HigherRateTaken } from "./higher-rate.ts";
export { listLikely, markLikely, type LikelyChange } from "./likely.ts";
export type { Operator } from "./payee.ts";
export {
  addRelief,
  endRelief,
  faultInRelief,
  listRelief,
  RELIEF_FIRST_DAY,
  type PayeeRelief,
  type ReliefChange,
} from "./relief.ts";
