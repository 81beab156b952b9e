import type { Clock } from "../../../lib/support/clock.ts";
import { invalid } from "./errors.ts";
import type { JsonObject, Notes } from "./fields.ts";
import {
  allowOnly,
  notesJson,
  optionalBoolean,
  optionalNotes,
  optionalText,
  requiredText,
} from "./fields.ts";
import type { Ids } from "./ids.ts";
import { filterOf, newestFirst, pageOf } from "./paging.ts";

export interface Contact {
  readonly id: string;
  readonly createdAtSeconds: number;
  details: ContactDetails;
  active: boolean;
}

interface ContactDetails {
  name: string;
  email: string | null;
  contact: string | null;
  type: string | null;
  referenceId: string | null;
  notes: Notes;
}

export interface Contacts {
  /** A new contact, or the existing one whose name, email, contact, type and reference_id are equal. */
  create(details: ContactDetails): Contact;
  get(id: string): Contact | undefined;
  update(contact: Contact, body: JsonObject): void;
  list(query: URLSearchParams): Contact[];
}

const FIELDS = ["name", "email", "contact", "type", "reference_id", "notes"] as const;
const TYPES = ["vendor", "customer", "employee", "self"] as const;
const NAME = { min: 3, max: 50, pattern: /^[a-zA-Z0-9 ’\-_/().]+$/ };

export function createContacts(options: { clock: Clock; ids: Ids }): Contacts {
  const all: Contact[] = [];
  const byId = new Map<string, Contact>();
  const byDetails = new Map<string, Contact>();

  return {
    create(details) {
      const identity = identityOf(details);
      const existing = byDetails.get(identity);
      if (existing) return existing;
      const contact: Contact = {
        id: options.ids.next("cont"),
        createdAtSeconds: Math.floor(options.clock.now().getTime() / 1000),
        details,
        active: true,
      };
      all.push(contact);
      byId.set(contact.id, contact);
      byDetails.set(identity, contact);
      return contact;
    },
    get: (id) => byId.get(id),
    update(contact, body) {
      allowOnly(body, [...FIELDS, "active"]);
      const active = optionalBoolean(body, "active");
      const details = parseContactChanges(contact.details, body);
      if (byDetails.get(identityOf(contact.details)) === contact)
        byDetails.delete(identityOf(contact.details));
      contact.details = details;
      contact.active = active ?? contact.active;
      byDetails.set(identityOf(details), contact);
    },
    list(query) {
      const wanted = {
        name: filterOf(query, "name"),
        email: filterOf(query, "email"),
        contact: filterOf(query, "contact"),
        type: filterOf(query, "type"),
        referenceId: filterOf(query, "reference_id"),
      };
      const filters = Object.entries(wanted).filter(([, value]) => value !== undefined);
      const active = activeFilter(query);
      return newestFirst(
        all,
        pageOf(query),
        (row) =>
          (active === undefined || row.active === active) &&
          filters.every(([field, value]) => row.details[field as keyof ContactDetails] === value),
      );
    },
  };
}

/** Throws a `Refusal` that names the field at fault. */
export function parseContact(body: JsonObject): ContactDetails {
  allowOnly(body, FIELDS);
  return {
    name: requiredText(body, "name", NAME),
    email: optionalText(body, "email", { max: 254, pattern: /^[^@\s]+@[^@\s]+$/ }),
    contact: optionalText(body, "contact", { max: 20 }),
    type: optionalText(body, "type", { max: 40, oneOf: TYPES }),
    referenceId: optionalText(body, "reference_id", { max: 40 }),
    notes: optionalNotes(body),
  };
}

export function contactJson(contact: Contact): JsonObject {
  const { name, email, contact: phone, type, referenceId, notes } = contact.details;
  return {
    id: contact.id,
    entity: "contact",
    name,
    contact: phone,
    email,
    type,
    reference_id: referenceId,
    batch_id: null,
    active: contact.active,
    notes: notesJson(notes),
    created_at: contact.createdAtSeconds,
  };
}

/** `true` or `false` of a list's `active` filter; also 1 and 0. */
export function activeFilter(query: URLSearchParams): boolean | undefined {
  const text = query.get("active");
  if (text === null) return undefined;
  if (text === "true" || text === "1") return true;
  if (text === "false" || text === "0") return false;
  throw invalid("active", "The active filter must be true or false.");
}

/** A field that a PATCH does not mention keeps its value. */
function parseContactChanges(before: ContactDetails, body: JsonObject): ContactDetails {
  const changes = Object.fromEntries(Object.entries(body).filter(([field]) => field !== "active"));
  return parseContact({
    name: before.name,
    email: before.email,
    contact: before.contact,
    type: before.type,
    reference_id: before.referenceId,
    notes: before.notes,
    ...changes,
  });
}

function identityOf(details: ContactDetails): string {
  const { name, email, contact, type, referenceId } = details;
  return JSON.stringify([name, email, contact, type, referenceId]);
}
