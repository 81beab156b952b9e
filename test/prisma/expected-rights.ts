/**
 * Who may write to which column, beyond what everybody may who reads: a line for each right of a group, and one for the
 * columns that nobody of them writes. Of a right on the whole table all columns are named. A new table or column needs its
 * place here, so that somebody has decided who writes to it.
 */
export const EXPECTED_RIGHTS = `
_prisma_migrations
  nobody: id checksum finished_at migration_name logs rolled_back_at started_at applied_steps_count
appointments
  nobody: id plan_id consultant_id booking_id starts_at ends_at
audit_log
  insert jobs: actor category action subject_type subject_id reason detail organization_id
  insert payees: actor category action subject_type subject_id reason detail organization_id
  insert approvers: actor category action subject_type subject_id reason detail organization_id
  insert tax: actor category action subject_type subject_id reason detail organization_id
  nobody: id at login
bookings
  update jobs: status updated_at ended_because ended_by
  nobody: id reference plan_id user_id organization_id seats requested_at
command_locks
  update payees: touched_at
  update tax: touched_at
  nobody: command
consultant_holds
  insert approvers: consultant_id kind reason placed_by
  update approvers: released_by released_at
  nobody: id placed_at placed_login released_login
consultants
  update jobs: provider_contact_id
  insert payees: external_ref name
  update payees: email
  update approvers: touched_at
  nobody: id created_at
disputes
  insert jobs: id payment_id provider_payment_id amount_paise deducted_paise currency status phase reason_code respond_by raised_at unmatched holds_consultant ended_at
  update jobs: payment_id amount_paise deducted_paise status phase reason_code respond_by unmatched holds_consultant updated_at ended_at
  nobody: first_seen_at
earning_recoveries
  insert jobs: consultant_id earning_id key gross_paise amount_paise
  update jobs: recovered_gross_paise recovered_amount_paise
  nobody: id created_at
earning_refunds
  insert jobs: earning_id key gross_paise amount_paise
  nobody: id created_at
earnings
  update jobs: status updated_at
  insert payees: consultant_id booking_reference credited_on gross_paise platform_fee_paise amount_paise paid_directly_paise
  update approvers: status updated_at
  nobody: id currency created_at hold_until created_login
earnings_net
  nobody: earning_id consultant_id currency status gross_paise amount_paise due payable
findings
  delete jobs:
  insert jobs: kind severity subject_type subject_id details
  update jobs: severity details last_seen_at
  update operators: resolved_at resolved_by resolution
  nobody: id first_seen_at first_details resolved_login
job_leases
  insert jobs: key owner fence acquired_at expires_at
  update jobs: owner fence acquired_at expires_at
job_runs
  delete jobs:
  insert jobs: id job owner fence commit run_url
  update jobs: outcome reason exit_code report finished_at
  nobody: started_at login
ledger_accounts
  insert jobs: id code consultant_id wallet_id
  insert payees: id code consultant_id wallet_id
  insert tax: id code consultant_id wallet_id
ledger_entries
  insert jobs: transaction_id account_id amount_paise
  insert payees: transaction_id account_id amount_paise
  insert tax: transaction_id account_id amount_paise
  nobody: id
ledger_transactions
  insert jobs: id key kind earning_id payout_id organization_id
  insert payees: key kind earning_id
  insert tax: id key kind payout_id organization_id
  nobody: posted_at
lower_deduction_certificates
  insert payees: consultant_id number rate_bps valid_from valid_to ceiling_paise
  insert tax: consultant_id number rate_bps valid_from valid_to ceiling_paise
  update tax: valid_to
  nobody: id changed_login
maintenance
  insert operators: id phase reason until updated_at updated_by
  update operators: phase reason until updated_at updated_by
  nobody: updated_login
organizations
  insert approvers: external_ref name
  update approvers: payee_id
  nobody: id created_at payee_login
outbox_mails
  delete jobs:
  insert jobs: key user_id template data deliver_until recipient consultant_id
  update jobs: status tries due_at claimed_by claimed_until last_error settled_at
  nobody: id created_at
payee_locks
  update jobs: touched_at
  nobody: consultant_id
payment_legs
  insert jobs: payment_id kind amount_paise
  update jobs: released_at
  nobody: id wallet_id referral_credit_id
payments
  insert jobs: booking_id user_id organization_id amount_paise status provider_payment_id captured_at
  update jobs: status provider_payment_id captured_at expired_at asked_at updated_at
  nobody: id currency provider_order_id created_at
payout_account_holds
  insert jobs: payout_account_id payout_id reason placed_by
  update jobs: mail_queued_at
  update approvers: released_by released_at
  nobody: id placed_at placed_login released_login
payout_accounts
  update jobs: provider_fund_account_id
  insert payees: consultant_id kind ifsc account_number vpa
  update payees: active
  nobody: id created_at placed_login
payout_attempts
  insert jobs: id payout_id attempt_no payout_account_id run_id idempotency_key reference_id mode amount_paise request_hash request_body fees_apart
  update jobs: state settled_at provider_payout_id provider_status fees_paise fees_tax_paise utr http_status failure_code response_body debited_elsewhere
  nobody: created_at
payout_items
  insert jobs: payout_id earning_id gross_paise amount_paise released_at
  update jobs: released_at
  update approvers: released_at
payouts
  insert jobs: id consultant_id currency gross_paise amount_paise status approved_at created_at organization_id
  update jobs: tax_paise net_paise status tries claimed_by claim_fence claimed_at failure_code failure_message completed_at updated_at
  update approvers: tax_paise net_paise status approved_at claimed_by claim_fence claimed_at updated_at
  nobody: approved_login approved_account_id approved_amount_paise approved_items
plans
  update jobs: booked_seats offered_seats
  update operators: cancelled_at cancelled_by cancel_reason
  nobody: id consultant_id kind title url capacity starts_at created_at hold_minutes
provider_days
  insert jobs: day opening_paise credits_paise debits_paise closing_paise transactions
  nobody: closed_at
provider_lists
  insert jobs: name read_until
  update jobs: read_until
provider_refunds
  insert jobs: id provider_payment_id amount_paise status made_at refund_leg_id matched_at
  update jobs: status refund_leg_id seen_at matched_at
  nobody: first_seen_at
provider_transactions
  insert jobs: id credit_paise debit_paise balance_paise source_entity source_id provider_payout_id at
  nobody: read_at
referral_credits
  update jobs: used_paise
  nobody: id user_id amount_paise created_at
refund_legs
  insert jobs: refund_id payment_leg_id amount_paise
  update jobs: state idempotency_key request_body request_hash provider_refund_id claimed_by claim_fence claimed_at sent_at settled_at failure_code failure_message
  nobody: id
refunds
  insert jobs: id payment_id key amount_paise reason requested_by of_sale
  update jobs: status settled_at
  nobody: created_at
released_slots
  insert jobs: appointment_id booking_id user_id released_by
  nobody: id released_at
slots
  delete jobs:
  insert jobs: appointment_id booking_id user_id consultant_id starts_at ends_at tentative
  update jobs: tentative updated_at
  nobody: id created_at
tax_deductions
  insert jobs: consultant_id payout_id earning_id fiscal_year credited_on gross_paise tax_paise rate_bps section code reason carried_forward_paise certificate_id certificate_gross_paise status reverses_id pan_status aadhaar likely_to_exceed
  update jobs: status
  nobody: id created_at sequence
tax_deposits
  insert tax: month section code amount_paise challan_reference deposited_on recorded_by bsr_code challan_serial owed_paise
  nobody: id created_at recorded_login
tax_profiles
  update jobs: updated_at
  insert payees: consultant_id category resident pan_status pan aadhaar
  update payees: pan_relief_from pan_relief_to updated_at likely_to_exceed
  update tax: pan_relief_from pan_relief_to updated_at likely_to_exceed
users
  nobody: id external_ref name email active created_at
waitlist_entries
  update jobs: status notified_at expires_at ended_at offer_ms
  nobody: id plan_id user_id priority position joined_at booking_id told_at
wallet_accounts
  update jobs: balance_paise updated_at
  nobody: id organization_id currency created_at
`;
