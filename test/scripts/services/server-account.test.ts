import { expect, it } from "vitest";
import { refuseNobody, runsAsNobody } from "../../../scripts/dev/services/server-account.ts";

const NOBODY = "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n";
const POSTGRES = `${NOBODY}postgres:x:101:104::/var/lib/postgresql:/bin/sh\n`;

it("data that is kept is refused where root has no account for it but nobody", () => {
  expect(() => refuseNobody(NOBODY, { root: true })).toThrow("would belong to `nobody`");
  expect(runsAsNobody(NOBODY, { root: true })).toBe(true);
});

it.each([
  ["root has an account for it", POSTGRES, true],
  ["it runs as whoever starts it", NOBODY, false],
])("nothing is refused where %s", (_why, passwd, root) => {
  expect(() => refuseNobody(passwd, { root })).not.toThrow();
});
