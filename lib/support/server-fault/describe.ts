import type { ServerFault, ServerFaultKind } from "./kinds.ts";

/** A server as a message names it, and where its address is set. */
export interface NamedServer {
  /** `the database at host:5432/name`: the subject of the sentence. */
  name: string;
  type: keyof typeof SETTINGS;
}

/** The variable that a person sets for each type of server. */
const SETTINGS = {
  postgres: {
    setting: "DATABASE_URL",
    trust:
      "Name the file with its CA's certificate: add sslrootcert=/path/to/ca.pem to DATABASE_URL, or set NODE_EXTRA_CA_CERTS.",
    encrypt: "Add sslmode=verify-full to DATABASE_URL.",
    plain:
      "Turn TLS on at the server. Only where nobody else is on the network between: sslmode=disable in DATABASE_URL, and the host in ALLOW_PLAINTEXT if it is another machine.",
    login: "Check the user, the password and name in DATABASE_URL.",
    role: "DATABASE_URL must lead to the primary.",
  },
  redis: {
    setting: "REDIS_URL",
    trust: "Set NODE_EXTRA_CA_CERTS to the file with its CA's certificate.",
    encrypt: "Write rediss:// in REDIS_URL.",
    plain:
      "Check the port, or turn TLS on at the server. Only where nobody else is on the network between: redis:// in REDIS_URL, and the host in ALLOW_PLAINTEXT if it is another machine.",
    login: "Check the user and the password in REDIS_URL.",
    role: "REDIS_URL must lead to the primary: did a failover make another server the primary?",
  },
  smtp: {
    setting: "SMTP_URL",
    trust: "Set NODE_EXTRA_CA_CERTS to the file with its CA's certificate.",
    encrypt: "Write smtps:// in SMTP_URL, or set SMTP_TLS=required.",
    plain:
      "Check the port, and whether SMTP_URL should be smtps:// or smtp://. Nothing is sent in the clear.",
    login: "Check the user and the password in SMTP_URL.",
    role: "Check the host in SMTP_URL.",
  },
  monitor: {
    setting: "HEARTBEAT_URL",
    trust: "Set NODE_EXTRA_CA_CERTS to the file with its CA's certificate.",
    encrypt: "Write https:// in HEARTBEAT_URL.",
    plain:
      "Check the port, or turn TLS on at the monitor. Only where nobody else is on the network between: http:// in HEARTBEAT_URL, and the host in ALLOW_PLAINTEXT if it is another machine.",
    login: "Check HEARTBEAT_URL.",
    role: "Check HEARTBEAT_URL.",
  },
  provider: {
    setting: "RAZORPAY_BASE_URL",
    trust:
      "Is a proxy between that signs with a CA of its own? Set NODE_EXTRA_CA_CERTS to the file with that CA's certificate.",
    encrypt: "Write https:// in RAZORPAY_BASE_URL.",
    plain: "Check the port in RAZORPAY_BASE_URL and the proxy in HTTPS_PROXY.",
    login: "Check the key.",
    role: "Check RAZORPAY_BASE_URL.",
  },
} as const;

type Words = (typeof SETTINGS)[keyof typeof SETTINGS];

const SAYS: Record<ServerFaultKind, { says: string; remedy: (words: Words) => string }> = {
  "no-answer": {
    says: "cannot be reached",
    remedy: ({ setting }) =>
      `Check that it is up, that this machine may connect, and the host and port in ${setting}.`,
  },
  "certificate-untrusted": {
    says: "answers, and its certificate is not trusted",
    remedy: ({ trust }) => trust,
  },
  "certificate-expired": {
    says: "answers, and its certificate has expired or is not valid yet",
    remedy: () => "Renew the certificate at the server, and check this machine's clock.",
  },
  "certificate-of-other-host": {
    says: "answers, and its certificate is for another host",
    remedy: ({ setting }) =>
      `Write a host name in ${setting} that the certificate names, or get a certificate for this one.`,
  },
  "no-tls": { says: "answers, and offers no TLS", remedy: ({ plain }) => plain },
  "tls-only": {
    says: "answers, and takes only encrypted connections",
    remedy: ({ encrypt }) => encrypt,
  },
  "tls-failed": {
    says: "answers, and no encrypted connection could be made",
    remedy: ({ setting }) =>
      `Check which versions of TLS the server takes, whether it asks for a certificate of ours, and the port in ${setting}.`,
  },
  "certificate-file": {
    says: "was not asked: a certificate or key file of ours is missing or can not be read",
    remedy: ({ setting }) =>
      `Check the paths (sslrootcert, sslcert, sslkey) in ${setting} and who may read the files; sslmode=verify-ca with uselibpqcompat needs sslrootcert.`,
  },
  "login-refused": {
    says: "answers, and refuses the login",
    remedy: ({ login }) => login,
  },
  missing: {
    says: "answers, and has nothing of that name",
    remedy: ({ setting }) => `Check the name at the end of ${setting}.`,
  },
  "not-allowed": {
    says: "answers, and does not allow this to this login or machine",
    remedy: ({ setting }) =>
      `Ask the owner of the server to allow it, and check the user and host in ${setting}.`,
  },
  "wrong-role": {
    says: "answers, and takes no writes because it is a replica or another node",
    remedy: ({ role }) => role,
  },
  full: {
    says: "answers, and has no memory, disk or connection left",
    remedy: () => "Make room at the server, or raise its limits, then run again.",
  },
  "breaks-off": {
    says: "answers, and breaks off every time",
    remedy: ({ setting }) =>
      `Look at the server's log and at what is between (a firewall, a proxy), and check the port in ${setting}.`,
  },
  redirects: {
    says: "answers, and names another address, which is not followed",
    remedy: ({ setting }) => `Write the final address in ${setting}.`,
  },
  "too-long": {
    says: "answers, and sends more than an answer may have",
    remedy: ({ setting }) =>
      `Check the host and port in ${setting}: is this server what you expect?`,
  },
  busy: {
    says: "answers, and is not ready: it is starting or stopping, or asks us to come later",
    remedy: () => "Run again in some minutes; if this stays, look at the server's log.",
  },
  unclear: {
    says: "answers, and refuses the connection",
    remedy: ({ setting }) => `Look at the server's log, and check ${setting}.`,
  },
};

/** The fault in words: the event, its code, and one remedy. */
export function describeServerFault(
  { kind, code }: ServerFault,
  { name, type }: NamedServer,
): { message: string; remedy: string } {
  const { says, remedy } = SAYS[kind];
  return {
    message: `${name} ${says}${code === "" ? "" : ` (${code})`}`,
    remedy: remedy(SETTINGS[type]),
  };
}
