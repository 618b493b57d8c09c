//! The request of an answer. It never comes on chain as a whole; its hash stands in the receipt.
use crate::hashing::hash_of;
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;
use sp_core::H256;

/// Who speaks a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum MessageRole {
	/// The instructions.
	#[codec(index = 0)]
	System,
	/// The one who asks.
	#[codec(index = 1)]
	User,
	/// The one who answers.
	#[codec(index = 2)]
	Assistant,
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Message {
	/// Who speaks.
	pub role: MessageRole,
	/// The text, UTF-8.
	pub content: Vec<u8>,
}

/// What a requester signs.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Request {
	/// The session.
	pub session: u64,
	/// The request's index in the session.
	pub index: u32,
	/// The conversation so far.
	pub messages: Vec<Message>,
	/// Temperature in 1/256; 0 is greedy.
	pub temperature: u16,
	/// The most tokens of the answer.
	pub max_tokens: u32,
	/// Strings that end the answer, UTF-8.
	pub stop: Vec<Vec<u8>>,
}

impl Request {
	/// Names the request.
	pub fn hash(&self) -> H256 {
		hash_of("request", self)
	}

	/// Whether all texts are UTF-8.
	pub fn is_valid(&self) -> bool {
		let contents = self.messages.iter().map(|message| &message.content);
		contents.chain(&self.stop).all(|text| core::str::from_utf8(text).is_ok())
	}
}
