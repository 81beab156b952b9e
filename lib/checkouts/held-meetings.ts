import { sql, type DbSession, type SqlPart } from "../db/client.ts";

/**
 * The last appointments of a booking: its tentative slots, else those released last. One row for each seat in each
 * meeting. Slots released together have one instant.
 */
export function heldAppointments(bookingId: string): SqlPart {
  return sql`
    SELECT appointment_id FROM slots WHERE booking_id = ${bookingId}::uuid AND tentative
    UNION ALL
    SELECT released.appointment_id FROM released_slots AS released
    WHERE released.booking_id = ${bookingId}::uuid
      AND NOT EXISTS (SELECT 1 FROM slots WHERE booking_id = ${bookingId}::uuid AND tentative)
      AND released.released_at = (
        SELECT max(released_at) FROM released_slots WHERE booking_id = ${bookingId}::uuid)`;
}

/**
 * Whether one of the booking's meetings has begun, on the database's clock. Nothing is confirmed for it then: neither
 * by a first report of a capture nor by booking a late one again.
 */
export async function hasMeetingBegun(db: DbSession, bookingId: string): Promise<boolean> {
  const [row] = await db.query<{ begun: boolean }[]>`
    SELECT EXISTS (
      SELECT 1 FROM (${heldAppointments(bookingId)}) AS seat
      JOIN appointments AS appointment ON appointment.id = seat.appointment_id
      WHERE appointment.starts_at <= now()) AS begun`;
  return row?.begun ?? false;
}
