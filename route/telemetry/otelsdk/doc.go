// Package otelsdk joins package telemetry to OpenTelemetry's SDK, where OpenTelemetry's API alone
// doesn't do: a [Producer] gives an SDK's readers the histograms of telemetry.Config.OwnHistograms.
// It is a module of its own, so that nobody else compiles the SDK.
package otelsdk
