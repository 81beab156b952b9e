import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serverAccount } from "../../scripts/dev/services/server-account.ts";

/** A certificate and its key, as files that a server of ours can read. */
export interface Certificate {
  cert: string;
  key: string;
}

export interface TestCertificates {
  /** The certificate of an authority that only configured clients trust. */
  readonly ca: string;
  /** For localhost and 127.0.0.1, signed by that authority. */
  readonly good: Certificate;
  readonly expired: Certificate;
  readonly ofOtherHost: Certificate;
  /** Signed with its own key alone. */
  readonly selfSigned: Certificate;
  /** Files that a server reads, over which a test copies the others. */
  readonly shown: Certificate;
  remove(): void;
}

const HERE = "DNS:localhost,IP:127.0.0.1";

/** Makes an authority and certificates with the openssl of this machine, for one test file. */
export function makeCertificates(): TestCertificates {
  const folder = mkdtempSync(join(tmpdir(), "afterhours-certificates-"));
  chmodSync(folder, 0o755);
  const openssl = (...args: string[]): void => {
    execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  };
  const path = (name: string): string => join(folder, name);
  const newKey = (name: string): string[] => [
    ...["-newkey", "rsa:2048", "-nodes", "-keyout", path(`${name}.key`)],
    ...["-subj", `/CN=${name}`],
  ];
  const usable = (name: string): Certificate => {
    const { uid, gid } = serverAccount();
    chmodSync(path(`${name}.key`), 0o600);
    chmodSync(path(`${name}.pem`), 0o644);
    if (uid !== undefined) chownSync(path(`${name}.key`), uid, gid);
    return { cert: path(`${name}.pem`), key: path(`${name}.key`) };
  };
  const signed = (name: string, { names, days }: { names: string; days: number }): Certificate => {
    openssl("req", "-new", ...newKey(name), "-out", path(`${name}.csr`));
    writeFileSync(path(`${name}.ext`), `subjectAltName=${names}\n`);
    openssl(
      ...["x509", "-req", "-in", path(`${name}.csr`), "-days", String(days)],
      ...["-CA", path("ca.pem"), "-CAkey", path("ca.key"), "-CAcreateserial"],
      ...["-extfile", path(`${name}.ext`), "-out", path(`${name}.pem`)],
    );
    return usable(name);
  };
  openssl("req", "-x509", ...newKey("ca"), "-days", "30", "-out", path("ca.pem"));
  openssl(
    ...["req", "-x509", ...newKey("self"), "-days", "30", "-out", path("self.pem")],
    ...["-addext", `subjectAltName=${HERE}`],
  );
  return {
    ca: path("ca.pem"),
    good: signed("good", { names: HERE, days: 30 }),
    expired: signed("expired", { names: HERE, days: -1 }),
    ofOtherHost: signed("other", { names: "DNS:elsewhere.example", days: 30 }),
    selfSigned: usable("self"),
    shown: signed("shown", { names: HERE, days: 30 }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
