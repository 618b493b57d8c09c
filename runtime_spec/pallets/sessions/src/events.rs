//! What the pallet tells.
use frame_support::pallet_macros::pallet_section;

/// What the pallet tells.
#[pallet_section]
mod events {
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A session was opened.
		SessionOpened {
			/// Its id.
			session: SessionId,
			/// Who pays.
			requester: AccountId32,
			/// Who answers.
			worker: AccountId32,
			/// By which spec.
			spec_id: H256,
			/// What was put in.
			escrow: Balance,
		},
		/// A session got its seed.
		Seeded {
			/// Its id.
			session: SessionId,
			/// The seed.
			seed: H256,
		},
		/// More escrow was put in.
		ToppedUp {
			/// The session.
			session: SessionId,
			/// What was added.
			amount: Balance,
		},
		/// A worker was paid from a session's escrow.
		Claimed {
			/// The session.
			session: SessionId,
			/// The worker.
			worker: AccountId32,
			/// What left the escrow, the fee included.
			amount: Balance,
			/// What of it went to the audit pot.
			fee: Balance,
		},
		/// The requester closes a session; the worker may claim before `until`.
		Closing {
			/// The session.
			session: SessionId,
			/// The block at whose end the rest is refunded.
			until: BlockNumberFor<T>,
		},
		/// A session was closed.
		Closed {
			/// The session.
			session: SessionId,
			/// What was claimed altogether, fees included.
			paid: Balance,
			/// What went back to the requester.
			refunded: Balance,
		},
		/// A session reached its last block and was closed by itself.
		Expired {
			/// The session.
			session: SessionId,
			/// What was claimed altogether, fees included.
			paid: Balance,
			/// What went back to the requester.
			refunded: Balance,
		},
		/// The audits of an epoch are decided; its earnings are free.
		Cleared {
			/// The worker.
			worker: AccountId32,
			/// The epoch.
			epoch: Epoch,
			/// What was released.
			amount: Balance,
		},
		/// A slashed worker lost its uncleared earnings to the treasury.
		Forfeited {
			/// The worker.
			worker: AccountId32,
			/// What it lost.
			amount: Balance,
		},
		/// A validator was paid from the audit pot.
		PaidFromPot {
			/// The validator.
			validator: AccountId32,
			/// What it got.
			amount: Balance,
		},
		/// A session's payer rated it.
		Rated {
			/// The session.
			session: SessionId,
			/// `0..=5`.
			stars: u8,
		},
		/// A worker got back what it should not have lost.
		Returned {
			/// The worker.
			worker: AccountId32,
			/// What it got back.
			amount: Balance,
		},
	}
}
