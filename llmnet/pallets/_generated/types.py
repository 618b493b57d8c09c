# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""The types of the runtime: dataclasses, enums, unions of variants, and names for plain values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Never, TypeAlias

from llmnet.chain import Tagged, TypeTable, Variant
from llmnet.proof import Calibration as Calibration
from llmnet.proof import Candidate as Candidate
from llmnet.proof import FinishReason as FinishReason
from llmnet.proof import Leaf as Leaf
from llmnet.proof import NumericsClass as NumericsClass
from llmnet.proof import PlacedSegment as PlacedSegment
from llmnet.proof import ProofError
from llmnet.proof import Receipt as Receipt
from llmnet.proof import Segment as Segment
from llmnet.proof import ServiceSpec as ServiceSpec


@dataclass(frozen=True, slots=True)
class AccountData:
    """`pallet_balances::types::AccountData`."""

    free: int
    reserved: int
    frozen: int
    flags: ExtraFlags


AccountId32: TypeAlias = "bytes"


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """`frame_system::AccountInfo`."""

    nonce: int
    consumers: int
    providers: int
    sufficients: int
    data: AccountData


class AdjustmentDirection(IntEnum):
    """`pallet_balances::types::AdjustmentDirection`."""

    INCREASE = 0
    DECREASE = 1


@dataclass(frozen=True, slots=True)
class Announcement:
    """`pallet_proxy::Announcement`."""

    real: AccountId32
    call_hash: H256
    height: int


@dataclass(frozen=True, slots=True)
class Answer:
    """`pallet_spot_checks::types::Answer`."""

    receipt: Receipt
    requester: AccountId32
    spec: H256
    domain: int
    price: int
    request_seed: H256


class ArithmeticError(IntEnum):
    """`sp_arithmetic::ArithmeticError`."""

    UNDERFLOW = 0
    OVERFLOW = 1
    DIVISION_BY_ZERO = 2


@dataclass(frozen=True, slots=True)
class Audit:
    """`pallet_spot_checks::types::Audit`."""

    worker: AccountId32
    epoch: int
    ordinal: int
    segment: int
    session: int
    index: int
    mean_price: int
    seed: H256
    stage: Stage
    deadline: int
    panel: tuple[Member, ...]
    answer: Answer | None
    outcome: Outcome | None


class Axis(IntEnum):
    """`pallet_reputation::types::Axis`."""

    INTEGRITY = 0
    QUALITY = 1


@dataclass(frozen=True, slots=True)
class BalanceLock:
    """`pallet_balances::types::BalanceLock`."""

    id: bytes
    amount: int
    reasons: Reasons


class BalanceStatus(IntEnum):
    """`frame_support::traits::tokens::misc::BalanceStatus`."""

    FREE = 0
    RESERVED = 1


@dataclass(frozen=True, slots=True)
class Batch:
    """`pallet_spot_checks::types::Batch`."""

    root: H256
    segments: int
    receipts: int
    amount: int
    round: int
    state: BatchState
    drawn: int
    pending: int


class BatchState(IntEnum):
    """`pallet_spot_checks::types::BatchState`."""

    SEALED = 0
    DRAWN = 1
    SETTLED = 2
    FORFEITED = 3


@dataclass(frozen=True, slots=True)
class BeaconStatus:
    """`pallet_beacon::types::BeaconStatus`."""

    round: int
    committing: bool
    phase_ends_at: int
    committed: tuple[AccountId32, ...]
    revealed: tuple[AccountId32, ...]


@dataclass(frozen=True, slots=True)
class BlockLength:
    """`frame_system::limits::BlockLength`."""

    max: PerDispatchClassU32
    max_header_size: int | None


@dataclass(frozen=True, slots=True)
class BlockWeights:
    """`frame_system::limits::BlockWeights`."""

    base_block: Weight
    max_block: Weight
    per_class: PerDispatchClassWeightsPerClass


@dataclass(frozen=True, slots=True)
class Bond:
    """`pallet_staking::types::Bond`."""

    role: Role
    stake: int
    owner: AccountId32
    since: int
    unbonding_at: int | None
    removed: bool


@dataclass(frozen=True, slots=True)
class CheckInherentsResult:
    """`sp_inherents::CheckInherentsResult`."""

    okay: bool
    fatal_error: bool
    errors: InherentData


@dataclass(frozen=True, slots=True)
class CodeUpgradeAuthorization:
    """`frame_system::CodeUpgradeAuthorization`."""

    code_hash: H256
    check_version: bool


class DepositKind(IntEnum):
    """`pallet_proxy::DepositKind`."""

    PROXIES = 0
    ANNOUNCEMENTS = 1


@dataclass(frozen=True, slots=True)
class Digest:
    """`sp_runtime::generic::digest::Digest`."""

    logs: tuple[DigestItem, ...]


@dataclass(frozen=True, slots=True)
class DigestItemPreRuntime(Tagged):
    """`DigestItem::PreRuntime`."""

    VARIANT: ClassVar[str] = "PreRuntime"
    value_0: bytes
    value_1: bytes


@dataclass(frozen=True, slots=True)
class DigestItemConsensus(Tagged):
    """`DigestItem::Consensus`."""

    VARIANT: ClassVar[str] = "Consensus"
    value_0: bytes
    value_1: bytes


@dataclass(frozen=True, slots=True)
class DigestItemSeal(Tagged):
    """`DigestItem::Seal`."""

    VARIANT: ClassVar[str] = "Seal"
    value_0: bytes
    value_1: bytes


@dataclass(frozen=True, slots=True)
class DigestItemOther(Tagged):
    """`DigestItem::Other`."""

    VARIANT: ClassVar[str] = "Other"
    value: bytes


@dataclass(frozen=True, slots=True)
class DigestItemRuntimeEnvironmentUpdated(Tagged):
    """`DigestItem::RuntimeEnvironmentUpdated`."""

    VARIANT: ClassVar[str] = "RuntimeEnvironmentUpdated"


DigestItem: TypeAlias = (
    DigestItemPreRuntime
    | DigestItemConsensus
    | DigestItemSeal
    | DigestItemOther
    | DigestItemRuntimeEnvironmentUpdated
)


class DispatchClass(IntEnum):
    """`frame_support::dispatch::DispatchClass`."""

    NORMAL = 0
    OPERATIONAL = 1
    MANDATORY = 2


@dataclass(frozen=True, slots=True)
class DispatchErrorOther(Tagged):
    """`DispatchError::Other`."""

    VARIANT: ClassVar[str] = "Other"


@dataclass(frozen=True, slots=True)
class DispatchErrorCannotLookup(Tagged):
    """`DispatchError::CannotLookup`."""

    VARIANT: ClassVar[str] = "CannotLookup"


@dataclass(frozen=True, slots=True)
class DispatchErrorBadOrigin(Tagged):
    """`DispatchError::BadOrigin`."""

    VARIANT: ClassVar[str] = "BadOrigin"


@dataclass(frozen=True, slots=True)
class DispatchErrorModule(Tagged):
    """`DispatchError::Module`."""

    VARIANT: ClassVar[str] = "Module"
    value: ModuleError


@dataclass(frozen=True, slots=True)
class DispatchErrorConsumerRemaining(Tagged):
    """`DispatchError::ConsumerRemaining`."""

    VARIANT: ClassVar[str] = "ConsumerRemaining"


@dataclass(frozen=True, slots=True)
class DispatchErrorNoProviders(Tagged):
    """`DispatchError::NoProviders`."""

    VARIANT: ClassVar[str] = "NoProviders"


@dataclass(frozen=True, slots=True)
class DispatchErrorTooManyConsumers(Tagged):
    """`DispatchError::TooManyConsumers`."""

    VARIANT: ClassVar[str] = "TooManyConsumers"


@dataclass(frozen=True, slots=True)
class DispatchErrorToken(Tagged):
    """`DispatchError::Token`."""

    VARIANT: ClassVar[str] = "Token"
    value: TokenError


@dataclass(frozen=True, slots=True)
class DispatchErrorArithmetic(Tagged):
    """`DispatchError::Arithmetic`."""

    VARIANT: ClassVar[str] = "Arithmetic"
    value: ArithmeticError


@dataclass(frozen=True, slots=True)
class DispatchErrorTransactional(Tagged):
    """`DispatchError::Transactional`."""

    VARIANT: ClassVar[str] = "Transactional"
    value: TransactionalError


@dataclass(frozen=True, slots=True)
class DispatchErrorExhausted(Tagged):
    """`DispatchError::Exhausted`."""

    VARIANT: ClassVar[str] = "Exhausted"


@dataclass(frozen=True, slots=True)
class DispatchErrorCorruption(Tagged):
    """`DispatchError::Corruption`."""

    VARIANT: ClassVar[str] = "Corruption"


@dataclass(frozen=True, slots=True)
class DispatchErrorUnavailable(Tagged):
    """`DispatchError::Unavailable`."""

    VARIANT: ClassVar[str] = "Unavailable"


@dataclass(frozen=True, slots=True)
class DispatchErrorRootNotAllowed(Tagged):
    """`DispatchError::RootNotAllowed`."""

    VARIANT: ClassVar[str] = "RootNotAllowed"


@dataclass(frozen=True, slots=True)
class DispatchErrorTrie(Tagged):
    """`DispatchError::Trie`."""

    VARIANT: ClassVar[str] = "Trie"
    value: TrieError


DispatchError: TypeAlias = (
    DispatchErrorOther
    | DispatchErrorCannotLookup
    | DispatchErrorBadOrigin
    | DispatchErrorModule
    | DispatchErrorConsumerRemaining
    | DispatchErrorNoProviders
    | DispatchErrorTooManyConsumers
    | DispatchErrorToken
    | DispatchErrorArithmetic
    | DispatchErrorTransactional
    | DispatchErrorExhausted
    | DispatchErrorCorruption
    | DispatchErrorUnavailable
    | DispatchErrorRootNotAllowed
    | DispatchErrorTrie
)


@dataclass(frozen=True, slots=True)
class DispatchEventInfo:
    """`frame_system::DispatchEventInfo`."""

    weight: Weight
    class_: DispatchClass
    pays_fee: Pays


@dataclass(frozen=True, slots=True)
class Domain:
    """`pallet_registry::types::Domain`."""

    name: bytes
    parent: int | None


@dataclass(frozen=True, slots=True)
class Drift:
    """`pallet_spot_checks::drift::Drift`."""

    period: int
    audited: int
    drifting: int
    audited_before: int
    frozen_until: int | None


@dataclass(frozen=True, slots=True)
class DueDeadline(Tagged):
    """`Due::Deadline`."""

    VARIANT: ClassVar[str] = "Deadline"
    value: int


@dataclass(frozen=True, slots=True)
class DuePruneAudit(Tagged):
    """`Due::PruneAudit`."""

    VARIANT: ClassVar[str] = "PruneAudit"
    value: int


@dataclass(frozen=True, slots=True)
class DuePruneBatch(Tagged):
    """`Due::PruneBatch`."""

    VARIANT: ClassVar[str] = "PruneBatch"
    value_0: AccountId32
    value_1: int


@dataclass(frozen=True, slots=True)
class DuePrunePlant(Tagged):
    """`Due::PrunePlant`."""

    VARIANT: ClassVar[str] = "PrunePlant"
    value: H256


Due: TypeAlias = DueDeadline | DuePruneAudit | DuePruneBatch | DuePrunePlant


@dataclass(frozen=True, slots=True)
class EquivocationH256U32Prevote(Tagged):
    """`EquivocationH256U32::Prevote`."""

    VARIANT: ClassVar[str] = "Prevote"
    value: EquivocationPublicPrevoteSignature


@dataclass(frozen=True, slots=True)
class EquivocationH256U32Precommit(Tagged):
    """`EquivocationH256U32::Precommit`."""

    VARIANT: ClassVar[str] = "Precommit"
    value: EquivocationPublicPrecommitSignature


EquivocationH256U32: TypeAlias = EquivocationH256U32Prevote | EquivocationH256U32Precommit


@dataclass(frozen=True, slots=True)
class EquivocationProof:
    """`sp_consensus_grandpa::EquivocationProof`."""

    set_id: int
    equivocation: EquivocationH256U32


@dataclass(frozen=True, slots=True)
class EquivocationPublicPrecommitSignature:
    """`finality_grandpa::Equivocation`."""

    round_number: int
    identity: Public
    first: tuple[Precommit, Signature]
    second: tuple[Precommit, Signature]


@dataclass(frozen=True, slots=True)
class EquivocationPublicPrevoteSignature:
    """`finality_grandpa::Equivocation`."""

    round_number: int
    identity: Public
    first: tuple[Prevote, Signature]
    second: tuple[Prevote, Signature]


@dataclass(frozen=True, slots=True)
class EventRecord:
    """`frame_system::EventRecord`."""

    phase: Phase
    event: Variant
    topics: tuple[H256, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """`llmnet_primitives::scoring::Evidence`."""

    position: int
    margin: int


ExtraFlags: TypeAlias = "int"


class ExtrinsicInclusionMode(IntEnum):
    """`sp_runtime::ExtrinsicInclusionMode`."""

    ALL_EXTRINSICS = 0
    ONLY_INHERENTS = 1


@dataclass(frozen=True, slots=True)
class FeeDetails:
    """`pallet_transaction_payment::types::FeeDetails`."""

    inclusion_fee: InclusionFee | None
    tip: int


FixedU128: TypeAlias = "int"


H256: TypeAlias = "bytes"


@dataclass(frozen=True, slots=True)
class Header:
    """`sp_runtime::generic::header::Header`."""

    parent_hash: H256
    number: int
    state_root: H256
    extrinsics_root: H256
    digest: Digest


@dataclass(frozen=True, slots=True)
class IdAmountRuntimeFreezeReasonU128:
    """`frame_support::traits::tokens::misc::IdAmount`."""

    id: RuntimeFreezeReason
    amount: int


@dataclass(frozen=True, slots=True)
class IdAmountRuntimeHoldReasonU128:
    """`frame_support::traits::tokens::misc::IdAmount`."""

    id: RuntimeHoldReason
    amount: int


@dataclass(frozen=True, slots=True)
class Imbalance:
    """`frame_support::traits::tokens::fungible::imbalance::Imbalance`."""

    amount: int


@dataclass(frozen=True, slots=True)
class InclusionFee:
    """`pallet_transaction_payment::types::InclusionFee`."""

    base_fee: int
    len_fee: int
    adjusted_weight_fee: int


@dataclass(frozen=True, slots=True)
class InherentData:
    """`sp_inherents::InherentData`."""

    data: dict[bytes, bytes]


@dataclass(frozen=True, slots=True)
class InvalidTransactionCall(Tagged):
    """`InvalidTransaction::Call`."""

    VARIANT: ClassVar[str] = "Call"


@dataclass(frozen=True, slots=True)
class InvalidTransactionPayment(Tagged):
    """`InvalidTransaction::Payment`."""

    VARIANT: ClassVar[str] = "Payment"


@dataclass(frozen=True, slots=True)
class InvalidTransactionFuture(Tagged):
    """`InvalidTransaction::Future`."""

    VARIANT: ClassVar[str] = "Future"


@dataclass(frozen=True, slots=True)
class InvalidTransactionStale(Tagged):
    """`InvalidTransaction::Stale`."""

    VARIANT: ClassVar[str] = "Stale"


@dataclass(frozen=True, slots=True)
class InvalidTransactionBadProof(Tagged):
    """`InvalidTransaction::BadProof`."""

    VARIANT: ClassVar[str] = "BadProof"


@dataclass(frozen=True, slots=True)
class InvalidTransactionAncientBirthBlock(Tagged):
    """`InvalidTransaction::AncientBirthBlock`."""

    VARIANT: ClassVar[str] = "AncientBirthBlock"


@dataclass(frozen=True, slots=True)
class InvalidTransactionExhaustsResources(Tagged):
    """`InvalidTransaction::ExhaustsResources`."""

    VARIANT: ClassVar[str] = "ExhaustsResources"


@dataclass(frozen=True, slots=True)
class InvalidTransactionCustom(Tagged):
    """`InvalidTransaction::Custom`."""

    VARIANT: ClassVar[str] = "Custom"
    value: int


@dataclass(frozen=True, slots=True)
class InvalidTransactionBadMandatory(Tagged):
    """`InvalidTransaction::BadMandatory`."""

    VARIANT: ClassVar[str] = "BadMandatory"


@dataclass(frozen=True, slots=True)
class InvalidTransactionMandatoryValidation(Tagged):
    """`InvalidTransaction::MandatoryValidation`."""

    VARIANT: ClassVar[str] = "MandatoryValidation"


@dataclass(frozen=True, slots=True)
class InvalidTransactionBadSigner(Tagged):
    """`InvalidTransaction::BadSigner`."""

    VARIANT: ClassVar[str] = "BadSigner"


@dataclass(frozen=True, slots=True)
class InvalidTransactionIndeterminateImplicit(Tagged):
    """`InvalidTransaction::IndeterminateImplicit`."""

    VARIANT: ClassVar[str] = "IndeterminateImplicit"


@dataclass(frozen=True, slots=True)
class InvalidTransactionUnknownOrigin(Tagged):
    """`InvalidTransaction::UnknownOrigin`."""

    VARIANT: ClassVar[str] = "UnknownOrigin"


InvalidTransaction: TypeAlias = (
    InvalidTransactionCall
    | InvalidTransactionPayment
    | InvalidTransactionFuture
    | InvalidTransactionStale
    | InvalidTransactionBadProof
    | InvalidTransactionAncientBirthBlock
    | InvalidTransactionExhaustsResources
    | InvalidTransactionCustom
    | InvalidTransactionBadMandatory
    | InvalidTransactionMandatoryValidation
    | InvalidTransactionBadSigner
    | InvalidTransactionIndeterminateImplicit
    | InvalidTransactionUnknownOrigin
)


KeyTypeId: TypeAlias = "bytes"


@dataclass(frozen=True, slots=True)
class LastRuntimeUpgradeInfo:
    """`frame_system::LastRuntimeUpgradeInfo`."""

    spec_version: int
    spec_name: str


@dataclass(frozen=True, slots=True)
class LazyBlock:
    """`sp_runtime::generic::block::LazyBlock`."""

    header: Header
    extrinsics: tuple[OpaqueExtrinsic, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """`pallet_spot_checks::types::Member`."""

    validator: AccountId32
    commitment: ReferenceCommitment | None
    revealed: bool


@dataclass(frozen=True, slots=True)
class ModuleError:
    """`sp_runtime::ModuleError`."""

    index: int
    error: bytes


@dataclass(frozen=True, slots=True)
class Money:
    """`pallet_sessions::types::Money`."""

    escrow: int
    uncleared: int


@dataclass(frozen=True, slots=True)
class MultiAddressId(Tagged):
    """`MultiAddress::Id`."""

    VARIANT: ClassVar[str] = "Id"
    value: AccountId32


@dataclass(frozen=True, slots=True)
class MultiAddressIndex(Tagged):
    """`MultiAddress::Index`."""

    VARIANT: ClassVar[str] = "Index"
    value: tuple[()]


@dataclass(frozen=True, slots=True)
class MultiAddressRaw(Tagged):
    """`MultiAddress::Raw`."""

    VARIANT: ClassVar[str] = "Raw"
    value: bytes


@dataclass(frozen=True, slots=True)
class MultiAddressAddress32(Tagged):
    """`MultiAddress::Address32`."""

    VARIANT: ClassVar[str] = "Address32"
    value: bytes


@dataclass(frozen=True, slots=True)
class MultiAddressAddress20(Tagged):
    """`MultiAddress::Address20`."""

    VARIANT: ClassVar[str] = "Address20"
    value: bytes


MultiAddress: TypeAlias = (
    MultiAddressId | MultiAddressIndex | MultiAddressRaw | MultiAddressAddress32 | MultiAddressAddress20
)


@dataclass(frozen=True, slots=True)
class Multisig:
    """`pallet_multisig::Multisig`."""

    when: Timepoint
    deposit: int
    depositor: AccountId32
    approvals: tuple[AccountId32, ...]


NoDrop: TypeAlias = "Imbalance"


@dataclass(frozen=True, slots=True)
class Offer:
    """`pallet_registry::types::Offer`."""

    endpoint: bytes
    price_in: int
    price_out: int
    domains: tuple[int, ...]
    policy_digest: H256
    capacity: int
    version: int
    updated_at: int


OpaqueExtrinsic: TypeAlias = "bytes"


@dataclass(frozen=True, slots=True)
class OpaqueGeneratedSessionKeys:
    """`sp_session::runtime_api::OpaqueGeneratedSessionKeys`."""

    keys: bytes
    proof: bytes


OpaqueMetadata: TypeAlias = "bytes"


OpaqueValue: TypeAlias = "bytes"


@dataclass(frozen=True, slots=True)
class OriginCallersystem(Tagged):
    """`OriginCaller::system`."""

    VARIANT: ClassVar[str] = "system"
    value: RawOrigin


OriginCaller: TypeAlias = OriginCallersystem


@dataclass(frozen=True, slots=True)
class Outage:
    """`pallet_spot_checks::outage::Outage`."""

    period: int
    done: int
    missed: int
    missing: tuple[AccountId32, ...]
    before: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """`pallet_spot_checks::types::Outcome`."""

    audit: int
    verdict: Verdict
    reason: Reason
    evidence: Evidence
    total: Evidence
    block: int


class PalletRegistryHoldReason(IntEnum):
    """`pallet_registry::pallet::HoldReason`."""

    SPEC_DEPOSIT = 0


class PalletSessionsHoldReason(IntEnum):
    """`pallet_sessions::pallet::HoldReason`."""

    ESCROW = 0
    UNCLEARED = 1


class PalletSpotChecksHoldReason(IntEnum):
    """`pallet_spot_checks::pallet::HoldReason`."""

    REVIEW = 0


class PalletStakingHoldReason(IntEnum):
    """`pallet_staking::pallet::HoldReason`."""

    STAKE = 0


class Pays(IntEnum):
    """`frame_support::dispatch::Pays`."""

    YES = 0
    NO = 1


@dataclass(frozen=True, slots=True)
class PendingEpoch:
    """`pallet_sessions::types::PendingEpoch`."""

    epoch: int
    amount: int


@dataclass(frozen=True, slots=True)
class PerDispatchClassU32:
    """`frame_support::dispatch::PerDispatchClass`."""

    normal: int
    operational: int
    mandatory: int


@dataclass(frozen=True, slots=True)
class PerDispatchClassWeight:
    """`frame_support::dispatch::PerDispatchClass`."""

    normal: Weight
    operational: Weight
    mandatory: Weight


@dataclass(frozen=True, slots=True)
class PerDispatchClassWeightsPerClass:
    """`frame_support::dispatch::PerDispatchClass`."""

    normal: WeightsPerClass
    operational: WeightsPerClass
    mandatory: WeightsPerClass


Permill: TypeAlias = "int"


@dataclass(frozen=True, slots=True)
class PhaseApplyExtrinsic(Tagged):
    """`Phase::ApplyExtrinsic`."""

    VARIANT: ClassVar[str] = "ApplyExtrinsic"
    value: int


@dataclass(frozen=True, slots=True)
class PhaseFinalization(Tagged):
    """`Phase::Finalization`."""

    VARIANT: ClassVar[str] = "Finalization"


@dataclass(frozen=True, slots=True)
class PhaseInitialization(Tagged):
    """`Phase::Initialization`."""

    VARIANT: ClassVar[str] = "Initialization"


Phase: TypeAlias = PhaseApplyExtrinsic | PhaseFinalization | PhaseInitialization


@dataclass(frozen=True, slots=True)
class Plant:
    """`pallet_spot_checks::types::Plant`."""

    planter: AccountId32
    round: int


@dataclass(frozen=True, slots=True)
class Precommit:
    """`finality_grandpa::Precommit`."""

    target_hash: H256
    target_number: int


@dataclass(frozen=True, slots=True)
class Prevote:
    """`finality_grandpa::Prevote`."""

    target_hash: H256
    target_number: int


@dataclass(frozen=True, slots=True)
class ProxyDefinition:
    """`pallet_proxy::ProxyDefinition`."""

    delegate: AccountId32
    proxy_type: ProxyType
    delay: int


class ProxyType(IntEnum):
    """`llmnet_runtime::proxies::ProxyType`."""

    ANY = 0
    NON_TRANSFER = 1
    WORK = 2


Public: TypeAlias = "bytes"


@dataclass(frozen=True, slots=True)
class RawOriginRoot(Tagged):
    """`RawOrigin::Root`."""

    VARIANT: ClassVar[str] = "Root"


@dataclass(frozen=True, slots=True)
class RawOriginSigned(Tagged):
    """`RawOrigin::Signed`."""

    VARIANT: ClassVar[str] = "Signed"
    value: AccountId32


@dataclass(frozen=True, slots=True)
class RawOriginNone(Tagged):
    """`RawOrigin::None`."""

    VARIANT: ClassVar[str] = "None"


@dataclass(frozen=True, slots=True)
class RawOriginAuthorized(Tagged):
    """`RawOrigin::Authorized`."""

    VARIANT: ClassVar[str] = "Authorized"


RawOrigin: TypeAlias = RawOriginRoot | RawOriginSigned | RawOriginNone | RawOriginAuthorized


class Reason(IntEnum):
    """`llmnet_primitives::scoring::Reason`."""

    CLEAN = 0
    POSITIONS = 1
    SELF_CONSISTENCY = 2
    TOKEN = 3
    MARGIN = 4
    RECEIPT_MISSED = 5
    LEAVES_MISSED = 6
    WITHHELD = 7
    NO_QUORUM = 8
    DISAGREEMENT = 9
    NOT_CALIBRATED = 10
    ABANDONED = 11
    OVERTURNED = 12
    PLANTED = 13
    ACCUMULATED = 14


class Reasons(IntEnum):
    """`pallet_balances::types::Reasons`."""

    FEE = 0
    MISC = 1
    ALL = 2


@dataclass(frozen=True, slots=True)
class Record:
    """`pallet_spot_checks::types::Record`."""

    accepted: tuple[AccountId32, ...]
    to_treasury: int
    prior: WorkerState
    rejected: tuple[tuple[AccountId32, int], ...]
    bounty: int


@dataclass(frozen=True, slots=True)
class ReferenceCommitmentReference(Tagged):
    """`ReferenceCommitment::Reference`."""

    VARIANT: ClassVar[str] = "Reference"
    value: H256


@dataclass(frozen=True, slots=True)
class ReferenceCommitmentWithheld(Tagged):
    """`ReferenceCommitment::Withheld`."""

    VARIANT: ClassVar[str] = "Withheld"


ReferenceCommitment: TypeAlias = ReferenceCommitmentReference | ReferenceCommitmentWithheld


class Releases(IntEnum):
    """`pallet_transaction_payment::Releases`."""

    V1_ANCIENT = 0
    V2 = 1


@dataclass(frozen=True, slots=True)
class ReserveData:
    """`pallet_balances::types::ReserveData`."""

    id: bytes
    amount: int


@dataclass(frozen=True, slots=True)
class Review:
    """`pallet_spot_checks::types::Review`."""

    kind: ReviewKind
    of: int
    by: AccountId32
    bond: int
    exceptions: tuple[int, ...]


class ReviewKind(IntEnum):
    """`pallet_spot_checks::types::ReviewKind`."""

    CHALLENGE = 0
    APPEAL = 1
    PLANT = 2


class Role(IntEnum):
    """`llmnet_primitives::traits::Role`."""

    WORKER = 0
    VALIDATOR = 1


@dataclass(frozen=True, slots=True)
class RuntimeDbWeight:
    """`sp_weights::RuntimeDbWeight`."""

    read: int
    write: int


@dataclass(frozen=True, slots=True)
class RuntimeDispatchInfo:
    """`pallet_transaction_payment::types::RuntimeDispatchInfo`."""

    weight: Weight
    class_: DispatchClass
    partial_fee: int


RuntimeFreezeReason: TypeAlias = Never


@dataclass(frozen=True, slots=True)
class RuntimeHoldReasonStaking(Tagged):
    """`RuntimeHoldReason::Staking`."""

    VARIANT: ClassVar[str] = "Staking"
    value: PalletStakingHoldReason


@dataclass(frozen=True, slots=True)
class RuntimeHoldReasonRegistry(Tagged):
    """`RuntimeHoldReason::Registry`."""

    VARIANT: ClassVar[str] = "Registry"
    value: PalletRegistryHoldReason


@dataclass(frozen=True, slots=True)
class RuntimeHoldReasonSessions(Tagged):
    """`RuntimeHoldReason::Sessions`."""

    VARIANT: ClassVar[str] = "Sessions"
    value: PalletSessionsHoldReason


@dataclass(frozen=True, slots=True)
class RuntimeHoldReasonSpotChecks(Tagged):
    """`RuntimeHoldReason::SpotChecks`."""

    VARIANT: ClassVar[str] = "SpotChecks"
    value: PalletSpotChecksHoldReason


RuntimeHoldReason: TypeAlias = (
    RuntimeHoldReasonStaking
    | RuntimeHoldReasonRegistry
    | RuntimeHoldReasonSessions
    | RuntimeHoldReasonSpotChecks
)


@dataclass(frozen=True, slots=True)
class RuntimeVersion:
    """`sp_version::RuntimeVersion`."""

    spec_name: str
    impl_name: str
    authoring_version: int
    spec_version: int
    impl_version: int
    apis: tuple[tuple[bytes, int], ...]
    transaction_version: int
    system_version: int


@dataclass(frozen=True, slots=True)
class Score:
    """`pallet_reputation::types::Score`."""

    r: int
    s: int


@dataclass(frozen=True, slots=True)
class Session:
    """`pallet_sessions::types::Session`."""

    requester: AccountId32
    worker: AccountId32
    spec_id: H256
    domain: int
    price_in: int
    price_out: int
    escrow: int
    committed: int
    claimed: int
    answers: int
    next_index: int
    seed_round: int
    seed: H256 | None
    status: Status
    opened_at: int
    expires_at: int
    rated: bool


@dataclass(frozen=True, slots=True)
class Share:
    """`pallet_beacon::types::Share`."""

    commitment: H256
    secret: bytes | None


Signature: TypeAlias = "bytes"


class SkipReason(IntEnum):
    """`pallet_spot_checks::types::SkipReason`."""

    TOO_FEW_VALIDATORS = 0
    WORKER_REMOVED = 1


@dataclass(frozen=True, slots=True)
class Slash:
    """`pallet_spot_checks::types::Slash`."""

    to_treasury: int
    forfeited: int


Slot: TypeAlias = "int"


SlotDuration: TypeAlias = "int"


@dataclass(frozen=True, slots=True)
class Span:
    """`pallet_spot_checks::types::Span`."""

    start: int
    session: int
    first: int
    mean_price: int


@dataclass(frozen=True, slots=True)
class SpecRecord:
    """`pallet_registry::types::SpecRecord`."""

    spec: ServiceSpec
    depositor: AccountId32
    deposit: int
    offers: int
    idle_since: int | None


class Stage(IntEnum):
    """`pallet_spot_checks::types::Stage`."""

    DRAWN = 0
    RECEIPT_OPENED = 1
    REFERENCED = 2
    LEAVES_OPENED = 3
    DECIDED = 4


@dataclass(frozen=True, slots=True)
class StatusOpen(Tagged):
    """`Status::Open`."""

    VARIANT: ClassVar[str] = "Open"


@dataclass(frozen=True, slots=True)
class StatusClosing(Tagged):
    """`Status::Closing`."""

    VARIANT: ClassVar[str] = "Closing"
    until: int


@dataclass(frozen=True, slots=True)
class StatusClosed(Tagged):
    """`Status::Closed`."""

    VARIANT: ClassVar[str] = "Closed"
    at: int


Status: TypeAlias = StatusOpen | StatusClosing | StatusClosed


@dataclass(frozen=True, slots=True)
class StoredPendingChange:
    """`pallet_grandpa::StoredPendingChange`."""

    scheduled_at: int
    delay: int
    next_authorities: tuple[tuple[Public, int], ...]
    forced: int | None


@dataclass(frozen=True, slots=True)
class StoredStateLive(Tagged):
    """`StoredState::Live`."""

    VARIANT: ClassVar[str] = "Live"


@dataclass(frozen=True, slots=True)
class StoredStatePendingPause(Tagged):
    """`StoredState::PendingPause`."""

    VARIANT: ClassVar[str] = "PendingPause"
    scheduled_at: int
    delay: int


@dataclass(frozen=True, slots=True)
class StoredStatePaused(Tagged):
    """`StoredState::Paused`."""

    VARIANT: ClassVar[str] = "Paused"


@dataclass(frozen=True, slots=True)
class StoredStatePendingResume(Tagged):
    """`StoredState::PendingResume`."""

    VARIANT: ClassVar[str] = "PendingResume"
    scheduled_at: int
    delay: int


StoredState: TypeAlias = (
    StoredStateLive | StoredStatePendingPause | StoredStatePaused | StoredStatePendingResume
)


@dataclass(frozen=True, slots=True)
class Strike:
    """`pallet_staking::types::Strike`."""

    count: int
    until: int


@dataclass(frozen=True, slots=True)
class Tally:
    """`pallet_spot_checks::types::Tally`."""

    audits: int
    plants: int


@dataclass(frozen=True, slots=True)
class Timepoint:
    """`pallet_multisig::Timepoint`."""

    height: int
    index: int


class TokenError(IntEnum):
    """`sp_runtime::TokenError`."""

    FUNDS_UNAVAILABLE = 0
    ONLY_PROVIDER = 1
    BELOW_MINIMUM = 2
    CANNOT_CREATE = 3
    UNKNOWN_ASSET = 4
    FROZEN = 5
    UNSUPPORTED = 6
    CANNOT_CREATE_HOLD = 7
    NOT_EXPENDABLE = 8
    BLOCKED = 9


@dataclass(frozen=True, slots=True)
class Tranche:
    """`pallet_sessions::types::Tranche`."""

    epoch: int
    amount: int


class TransactionSource(IntEnum):
    """`sp_runtime::transaction_validity::TransactionSource`."""

    IN_BLOCK = 0
    LOCAL = 1
    EXTERNAL = 2


@dataclass(frozen=True, slots=True)
class TransactionValidityErrorInvalid(Tagged):
    """`TransactionValidityError::Invalid`."""

    VARIANT: ClassVar[str] = "Invalid"
    value: InvalidTransaction


@dataclass(frozen=True, slots=True)
class TransactionValidityErrorUnknown(Tagged):
    """`TransactionValidityError::Unknown`."""

    VARIANT: ClassVar[str] = "Unknown"
    value: UnknownTransaction


TransactionValidityError: TypeAlias = TransactionValidityErrorInvalid | TransactionValidityErrorUnknown


class TransactionalError(IntEnum):
    """`sp_runtime::TransactionalError`."""

    LIMIT_REACHED = 0
    NO_LAYER = 1


class TrieError(IntEnum):
    """`sp_runtime::proving_trie::TrieError`."""

    INVALID_STATE_ROOT = 0
    INCOMPLETE_DATABASE = 1
    VALUE_AT_INCOMPLETE_KEY = 2
    DECODER_ERROR = 3
    INVALID_HASH = 4
    DUPLICATE_KEY = 5
    EXTRANEOUS_NODE = 6
    EXTRANEOUS_VALUE = 7
    EXTRANEOUS_HASH_REFERENCE = 8
    INVALID_CHILD_REFERENCE = 9
    VALUE_MISMATCH = 10
    INCOMPLETE_PROOF = 11
    ROOT_MISMATCH = 12
    DECODE_ERROR = 13


UncheckedExtrinsic: TypeAlias = "bytes"


class UnexpectedKind(IntEnum):
    """`pallet_balances::pallet::UnexpectedKind`."""

    BALANCE_UPDATED = 0
    FAILED_TO_MUTATE_ACCOUNT = 1


@dataclass(frozen=True, slots=True)
class UnknownTransactionCannotLookup(Tagged):
    """`UnknownTransaction::CannotLookup`."""

    VARIANT: ClassVar[str] = "CannotLookup"


@dataclass(frozen=True, slots=True)
class UnknownTransactionNoUnsignedValidator(Tagged):
    """`UnknownTransaction::NoUnsignedValidator`."""

    VARIANT: ClassVar[str] = "NoUnsignedValidator"


@dataclass(frozen=True, slots=True)
class UnknownTransactionCustom(Tagged):
    """`UnknownTransaction::Custom`."""

    VARIANT: ClassVar[str] = "Custom"
    value: int


UnknownTransaction: TypeAlias = (
    UnknownTransactionCannotLookup | UnknownTransactionNoUnsignedValidator | UnknownTransactionCustom
)


@dataclass(frozen=True, slots=True)
class ValidTransaction:
    """`sp_runtime::transaction_validity::ValidTransaction`."""

    priority: int
    requires: tuple[bytes, ...]
    provides: tuple[bytes, ...]
    longevity: int
    propagate: bool


class Verdict(IntEnum):
    """`llmnet_primitives::traits::Verdict`."""

    PASSED = 0
    FAILED = 1
    ABSTAINED = 2


@dataclass(frozen=True, slots=True)
class ViewFunctionDispatchErrorNotImplemented(Tagged):
    """`ViewFunctionDispatchError::NotImplemented`."""

    VARIANT: ClassVar[str] = "NotImplemented"


@dataclass(frozen=True, slots=True)
class ViewFunctionDispatchErrorNotFound(Tagged):
    """`ViewFunctionDispatchError::NotFound`."""

    VARIANT: ClassVar[str] = "NotFound"
    value: ViewFunctionId


@dataclass(frozen=True, slots=True)
class ViewFunctionDispatchErrorCodec(Tagged):
    """`ViewFunctionDispatchError::Codec`."""

    VARIANT: ClassVar[str] = "Codec"


ViewFunctionDispatchError: TypeAlias = (
    ViewFunctionDispatchErrorNotImplemented
    | ViewFunctionDispatchErrorNotFound
    | ViewFunctionDispatchErrorCodec
)


@dataclass(frozen=True, slots=True)
class ViewFunctionId:
    """`frame_support::view_functions::ViewFunctionId`."""

    prefix: bytes
    suffix: bytes


Void: TypeAlias = Never


@dataclass(frozen=True, slots=True)
class Weight:
    """`sp_weights::weight_v2::Weight`."""

    ref_time: int
    proof_size: int


@dataclass(frozen=True, slots=True)
class WeightsPerClass:
    """`frame_system::limits::WeightsPerClass`."""

    base_extrinsic: Weight
    max_extrinsic: Weight | None
    max_total: Weight | None
    reserved: Weight | None


@dataclass(frozen=True, slots=True)
class WorkerState:
    """`pallet_spot_checks::types::WorkerState`."""

    evidence: Evidence
    probation: int
    clean: int
    passed: int
    failed: int
    abstained: int
    removed: bool


TYPES = TypeTable(
    {
        "c9d5357cac36f634": AccountData,
        "76399cf68a8aefc0": AccountInfo,
        "5e2d02535da4b65c": AdjustmentDirection,
        "8888aa766aa20fc8": Announcement,
        "b7ca272cf8045e99": Answer,
        "317455919e762a71": ArithmeticError,
        "d12b5e368d4ad371": Audit,
        "164be651b973ab24": Axis,
        "b9a08149cabb6016": BalanceLock,
        "65619e6f94e687a8": BalanceStatus,
        "c0a304f2c1c2e4dc": Batch,
        "0eb94a8112088608": BatchState,
        "bce6d85754624bab": BeaconStatus,
        "0f9259f319824fb9": BlockLength,
        "132dc9b6e463481c": BlockWeights,
        "61008fd4e0c23ee6": Bond,
        "3a4dd2d5f79483dd": Calibration,
        "87a33360628ef0dc": Candidate,
        "0449fb7d612e9b66": CheckInherentsResult,
        "ebc5274f447ecc53": CodeUpgradeAuthorization,
        "a2823980db7b61a4": DepositKind,
        "d027e1d379e642db": Digest,
        "f84a2cf770bf1c11": (
            DigestItemPreRuntime,
            DigestItemConsensus,
            DigestItemSeal,
            DigestItemOther,
            DigestItemRuntimeEnvironmentUpdated,
        ),
        "c42ca4a9179a6599": DispatchClass,
        "24160ce476b115c1": (
            DispatchErrorOther,
            DispatchErrorCannotLookup,
            DispatchErrorBadOrigin,
            DispatchErrorModule,
            DispatchErrorConsumerRemaining,
            DispatchErrorNoProviders,
            DispatchErrorTooManyConsumers,
            DispatchErrorToken,
            DispatchErrorArithmetic,
            DispatchErrorTransactional,
            DispatchErrorExhausted,
            DispatchErrorCorruption,
            DispatchErrorUnavailable,
            DispatchErrorRootNotAllowed,
            DispatchErrorTrie,
        ),
        "fa14add4e40c908d": DispatchEventInfo,
        "fbcbda888811d053": Domain,
        "43f6f0e004fdf3fb": Drift,
        "83088bee30d38069": (
            DueDeadline,
            DuePruneAudit,
            DuePruneBatch,
            DuePrunePlant,
        ),
        "8191d60b0080c663": (
            EquivocationH256U32Prevote,
            EquivocationH256U32Precommit,
        ),
        "66bed502ec38d842": EquivocationProof,
        "c5761bf93c776ba0": EquivocationPublicPrecommitSignature,
        "d06abcbedf7a866d": EquivocationPublicPrevoteSignature,
        "7c1f9432cd6d3145": EventRecord,
        "8ae98c8bb87b96f7": Evidence,
        "7da6295857a04106": ExtrinsicInclusionMode,
        "034ef1293e6111ce": FeeDetails,
        "17dafb2b2fb89873": FinishReason,
        "0db45022f48362cf": Header,
        "db16d1ee8b8d7b39": IdAmountRuntimeFreezeReasonU128,
        "a72ef3520582fa11": IdAmountRuntimeHoldReasonU128,
        "9be351b04564aa01": Imbalance,
        "8bce89dddd913879": InclusionFee,
        "a4f47353bfef1a6a": InherentData,
        "b93e46329db3a645": (
            InvalidTransactionCall,
            InvalidTransactionPayment,
            InvalidTransactionFuture,
            InvalidTransactionStale,
            InvalidTransactionBadProof,
            InvalidTransactionAncientBirthBlock,
            InvalidTransactionExhaustsResources,
            InvalidTransactionCustom,
            InvalidTransactionBadMandatory,
            InvalidTransactionMandatoryValidation,
            InvalidTransactionBadSigner,
            InvalidTransactionIndeterminateImplicit,
            InvalidTransactionUnknownOrigin,
        ),
        "d0ac228b642c2e53": LastRuntimeUpgradeInfo,
        "b7dea53d20719e8c": LazyBlock,
        "812b0f938f81259e": Leaf,
        "812528257b936c2c": Member,
        "0adb46cb8da14002": ModuleError,
        "36ac737b2881a55c": Money,
        "ea73a421947cb018": (
            MultiAddressId,
            MultiAddressIndex,
            MultiAddressRaw,
            MultiAddressAddress32,
            MultiAddressAddress20,
        ),
        "e3d387e71abcecb3": Multisig,
        "fd4f27e42c3f600e": NumericsClass,
        "727a7bc9f0be654d": Offer,
        "b383c963d3343481": OpaqueGeneratedSessionKeys,
        "8460892282b70370": (OriginCallersystem,),
        "90dbf7ddcc22c207": Outage,
        "ba5ae0836c46b652": Outcome,
        "7e3ca278882e6b58": PalletRegistryHoldReason,
        "42295b3b36d1de7e": PalletSessionsHoldReason,
        "167afb2fe82b5388": PalletSpotChecksHoldReason,
        "98c8ba32efb9e8dc": PalletStakingHoldReason,
        "4cb5fc8992a4ac23": Pays,
        "8f3ce01f6c06462e": PendingEpoch,
        "bb569b9e3b75fa5a": PerDispatchClassU32,
        "b1013ea31290d748": PerDispatchClassWeight,
        "682083e7ef945baf": PerDispatchClassWeightsPerClass,
        "b65358478bed0617": (
            PhaseApplyExtrinsic,
            PhaseFinalization,
            PhaseInitialization,
        ),
        "fe868f40befb0592": PlacedSegment,
        "920326004fa99b84": Plant,
        "6a16d8b31eef0f84": Precommit,
        "46f6937bda340d21": Prevote,
        "eb536e7af10663f7": ProxyDefinition,
        "e3435e63f9c13a7f": ProxyType,
        "1ec79f0ac459464c": (
            RawOriginRoot,
            RawOriginSigned,
            RawOriginNone,
            RawOriginAuthorized,
        ),
        "41c04442f2665fdb": Reason,
        "74a1b3045d14c78b": Reasons,
        "26335dafdd1d956f": Receipt,
        "025574ae2007875e": Record,
        "2a62ebe28c5f718d": (
            ReferenceCommitmentReference,
            ReferenceCommitmentWithheld,
        ),
        "af4679d5958419e7": Releases,
        "b991f5578901ad19": ReserveData,
        "1de726f530ef98cf": Review,
        "0d3c3fef25fde576": ReviewKind,
        "03a0155052603b65": Role,
        "3301b2064fb07b90": RuntimeDbWeight,
        "fc8d8840e6d51ec1": RuntimeDispatchInfo,
        "e37e3bf90fd40fee": (
            RuntimeHoldReasonStaking,
            RuntimeHoldReasonRegistry,
            RuntimeHoldReasonSessions,
            RuntimeHoldReasonSpotChecks,
        ),
        "4b3a8c4a3869bacb": RuntimeVersion,
        "17f0f03bd09a341c": Score,
        "d8d8f81e0e77cfa5": Segment,
        "de323089f6d58ee8": ServiceSpec,
        "39f911225cecf834": Session,
        "59cec21597318360": Share,
        "5e23165ea61a1b95": SkipReason,
        "883280902f539886": Slash,
        "9351ad8d99216fa1": Span,
        "d55b7aef603eb4e2": SpecRecord,
        "5c65f6583d11f088": Stage,
        "8341ecd9846c9672": (
            StatusOpen,
            StatusClosing,
            StatusClosed,
        ),
        "b83620ed503c5317": StoredPendingChange,
        "52193627ec8f404d": (
            StoredStateLive,
            StoredStatePendingPause,
            StoredStatePaused,
            StoredStatePendingResume,
        ),
        "01fbe4b55839168c": Strike,
        "be0d995044031963": Tally,
        "1514cd129fca129d": Timepoint,
        "90e79a4c73a0cb4e": TokenError,
        "2ca70fdfb069624d": Tranche,
        "6e017e695d73f22d": TransactionSource,
        "0cdc41d2798e4a74": (
            TransactionValidityErrorInvalid,
            TransactionValidityErrorUnknown,
        ),
        "daaf2f751fa6b13e": TransactionalError,
        "8431100a2f4e29ae": TrieError,
        "f2d349ff3945294e": UnexpectedKind,
        "4e2f83c66e010324": (
            UnknownTransactionCannotLookup,
            UnknownTransactionNoUnsignedValidator,
            UnknownTransactionCustom,
        ),
        "a642b7e9cc6c775b": ValidTransaction,
        "b497f217fbb68263": Verdict,
        "6f690a11f3342bd0": (
            ViewFunctionDispatchErrorNotImplemented,
            ViewFunctionDispatchErrorNotFound,
            ViewFunctionDispatchErrorCodec,
        ),
        "90f7bbb538bc72e8": ViewFunctionId,
        "0cd2e12859dfe732": Weight,
        "b644f07cf4c759ba": WeightsPerClass,
        "a61dea7c56aa37bc": WorkerState,
    },
    refusals=(ProofError,),
)
