-- The one form in which references of bookings compare: Unicode NFC, A to Z in small letters, each run of white space one
-- space, none at the ends. No locale decides: `referenceKey` of lib/support/reference-key.ts gives the same. The rest, such
-- as a suffix, stays: BK-2/1 is not BK-2.
CREATE FUNCTION "reference_key"(reference text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN btrim(
  regexp_replace(
    translate(normalize(reference, NFC), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz'),
    U&'[\0009\000A\000B\000C\000D \0085\00A0\1680\2000\2001\2002\2003\2004\2005\2006\2007\2008\2009\200A\2028\2029\202F\205F\3000\FEFF]+',
    ' ', 'g'),
  ' ');

-- Not unique: two references that look alike may be on record from before, and each stays what it is.
CREATE INDEX "bookings_reference_key_form" ON "bookings" ("reference_key"("reference"));
CREATE INDEX "earnings_reference_key_form" ON "earnings" ("reference_key"("booking_reference"));

-- The earning of a booking's sale, or nothing. The same reference, letter for letter, is the sale. Otherwise the only one of
-- its form, if no other booking has that form: where two look alike, nobody guesses.
CREATE FUNCTION "sale_of_booking"(sought text) RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
  SELECT CASE
    WHEN count(*) FILTER (WHERE earning.booking_reference = sought) = 1
      THEN (array_agg(earning.id) FILTER (WHERE earning.booking_reference = sought))[1]
    WHEN count(*) = 1 AND (
        SELECT count(*) FROM bookings WHERE reference_key(bookings.reference) = reference_key(sought)) = 1
      THEN (array_agg(earning.id))[1]
  END
  FROM earnings AS earning WHERE reference_key(earning.booking_reference) = reference_key(sought)
);
