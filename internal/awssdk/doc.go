// Package awssdk holds the tests that other people's clients judge: requests signed by the AWS SDK and by curl must be admitted,
// and the SDK's client of @connections must understand every answer.
package awssdk
