// Package awssdk holds the tests that other people's signers judge: requests signed by the AWS SDK and by curl must be admitted.
package awssdk
