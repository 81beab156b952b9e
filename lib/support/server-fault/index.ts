export { describeServerFault, type NamedServer } from "./describe.ts";
export { fetchFault, httpFault } from "./http.ts";
export { isTlsFault, mayPass, type ServerFault, type ServerFaultKind } from "./kinds.ts";
export { layersOf, messageOf } from "./layers.ts";
export { faultOfCode, networkFault } from "./network.ts";
export { postgresFault, sqlStateOf } from "./postgres.ts";
export { redisFault } from "./redis.ts";
export { smtpFault, type SmtpError } from "./smtp.ts";
export { speaksTls } from "./speaks-tls.ts";
