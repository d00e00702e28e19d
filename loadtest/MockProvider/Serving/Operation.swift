/// What is asked of a dialect; ``Vendor`` says whose dialect it is.
enum Operation: Equatable {
  case chat
  case messages, countTokens
}
