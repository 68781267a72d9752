package order_test

const helperEnv = "EMENDA_ORDER_HELPER"

func helper() {}
