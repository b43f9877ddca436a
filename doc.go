package gatekit
