//! What the pallet keeps.
use frame_support::pallet_macros::pallet_section;

/// What the pallet keeps.
#[pallet_section]
mod storage {
	/// What workers committed, until `VerdictRetention` blocks after it was closed.
	#[pallet::storage]
	pub type Batches<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, AccountId32, Twox64Concat, Epoch, Batch, OptionQuery>;

	/// Where the segments of a batch begin, until it is drawn.
	#[pallet::storage]
	pub type BatchSpans<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, AccountId32, Twox64Concat, Epoch, Spans, ValueQuery>;

	/// The batches that wait for a draw, by the round in which they were sealed.
	#[pallet::storage]
	pub type Undrawn<T: Config> =
		StorageDoubleMap<_, Twox64Concat, u32, Blake2_128Concat, (AccountId32, Epoch), (), OptionQuery>;

	/// The first round that may have undrawn batches.
	#[pallet::storage]
	pub type DrawRound<T: Config> = StorageValue<_, u32, ValueQuery>;

	/// The next audit's number.
	#[pallet::storage]
	pub type NextAudit<T: Config> = StorageValue<_, AuditId, ValueQuery>;

	/// The audits, decided ones until `VerdictRetention` blocks after the decision.
	#[pallet::storage]
	pub type Audits<T: Config> = StorageMap<_, Twox64Concat, AuditId, Audit, OptionQuery>;

	/// Which audit looks at an answer.
	#[pallet::storage]
	pub type AuditOf<T: Config> = StorageMap<_, Twox64Concat, (SessionId, u32), AuditId, OptionQuery>;

	/// The open audits of a worker.
	#[pallet::storage]
	pub type OfWorker<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, AccountId32, Twox64Concat, AuditId, (), OptionQuery>;

	/// The open audits with a validator on the panel.
	#[pallet::storage]
	pub type OfValidator<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, AccountId32, Twox64Concat, AuditId, (), OptionQuery>;

	/// The leaves a worker opened, until the decision.
	#[pallet::storage]
	pub type OpenedLeaves<T: Config> = StorageMap<_, Twox64Concat, AuditId, Leaves, OptionQuery>;

	/// The references that validators revealed, until the decision.
	#[pallet::storage]
	pub type References<T: Config> =
		StorageDoubleMap<_, Twox64Concat, AuditId, Blake2_128Concat, AccountId32, Leaves, OptionQuery>;

	/// What audits have found about each worker.
	#[pallet::storage]
	pub type Workers<T: Config> = StorageMap<_, Blake2_128Concat, AccountId32, WorkerState, ValueQuery>;

	/// Root's floor under the audit probability, in parts per million.
	#[pallet::storage]
	pub type AuditFloor<T: Config> = StorageValue<_, u32, ValueQuery>;

	/// The audits that review others, by their own number, as long as they are kept.
	#[pallet::storage]
	pub type Reviews<T: Config> = StorageMap<_, Twox64Concat, AuditId, Review, OptionQuery>;

	/// The reviews of an audit, by who asked for them.
	#[pallet::storage]
	pub type ReviewOf<T: Config> =
		StorageDoubleMap<_, Twox64Concat, AuditId, Blake2_128Concat, AccountId32, AuditId, OptionQuery>;

	/// The reviews that wait for a panel, by the beacon round in which they were asked for.
	#[pallet::storage]
	pub type UndrawnReviews<T: Config> =
		StorageDoubleMap<_, Twox64Concat, u32, Twox64Concat, AuditId, (), OptionQuery>;

	/// What is remembered of decided audits for their reviews.
	#[pallet::storage]
	pub type Records<T: Config> = StorageMap<_, Twox64Concat, AuditId, Record, OptionQuery>;

	/// What slashes for evidence have taken from removed workers.
	#[pallet::storage]
	pub type Slashes<T: Config> = StorageMap<_, Blake2_128Concat, AccountId32, Slash, OptionQuery>;

	/// How many strikes each worker has served by probation.
	#[pallet::storage]
	pub type StrikesServed<T: Config> = StorageMap<_, Blake2_128Concat, AccountId32, u32, ValueQuery>;

	/// Who may plant faults.
	#[pallet::storage]
	pub type PlanterSet<T: Config> = StorageValue<_, Planters, ValueQuery>;

	/// The planted faults that are not revealed, by their commitments.
	#[pallet::storage]
	pub type Plants<T: Config> = StorageMap<_, Blake2_128Concat, H256, Plant, OptionQuery>;

	/// How many plants of each planter are not revealed.
	#[pallet::storage]
	pub type PlantsOf<T: Config> = StorageMap<_, Blake2_128Concat, AccountId32, u32, ValueQuery>;

	/// Audits and plants so far.
	#[pallet::storage]
	pub type PlantTally<T: Config> = StorageValue<_, Tally, ValueQuery>;

	/// Who was audited of late and whose evidence stands high.
	#[pallet::storage]
	pub type DriftWatch<T: Config> = StorageValue<_, Drift, ValueQuery>;

	/// In which period of the drift watch each owner was last audited, and last counted as drifting.
	#[pallet::storage]
	pub type DriftSeen<T: Config> =
		StorageMap<_, Blake2_128Concat, AccountId32, (Option<u32>, Option<u32>), ValueQuery>;

	/// How many deadlines were missed of late.
	#[pallet::storage]
	pub type OutageWatch<T: Config> = StorageValue<_, Outage, ValueQuery>;

	/// How often the deadline of an open audit's stage was put off.
	#[pallet::storage]
	pub type PutOff<T: Config> = StorageMap<_, Twox64Concat, AuditId, u32, ValueQuery>;

	/// What is due in a block.
	#[pallet::storage]
	pub type Agenda<T: Config> =
		StorageMap<_, Twox64Concat, u32, BoundedVec<Due, T::MaxTasksPerBlock>, ValueQuery>;

	/// The first block of the agenda that is not worked off.
	#[pallet::storage]
	pub type AgendaCursor<T: Config> = StorageValue<_, u32, ValueQuery>;
}
