/* fiber_switch_aarch64.S: the switch between stacks, AAPCS64.
 *
 * A suspended stack holds, from its saved pointer up: d8-d15, x19-x28, x29, x30; x30 is where to go on.
 * SPDX-License-Identifier: Apache-2.0 */
#if defined(__aarch64__) && !defined(HEADGATE_UCONTEXT)
    .text

/* void fiber_switch(void **save_sp, void *to_sp) */
    .globl  fiber_switch
    .hidden fiber_switch
    .type   fiber_switch, %function
    .p2align 4
fiber_switch:
    .cfi_startproc
    sub     sp, sp, #160
    .cfi_adjust_cfa_offset 160
    stp     d8, d9, [sp, #0]
    stp     d10, d11, [sp, #16]
    stp     d12, d13, [sp, #32]
    stp     d14, d15, [sp, #48]
    stp     x19, x20, [sp, #64]
    stp     x21, x22, [sp, #80]
    stp     x23, x24, [sp, #96]
    stp     x25, x26, [sp, #112]
    stp     x27, x28, [sp, #128]
    stp     x29, x30, [sp, #144]
    .cfi_rel_offset x19, 64
    .cfi_rel_offset x20, 72
    .cfi_rel_offset x21, 80
    .cfi_rel_offset x22, 88
    .cfi_rel_offset x23, 96
    .cfi_rel_offset x24, 104
    .cfi_rel_offset x25, 112
    .cfi_rel_offset x26, 120
    .cfi_rel_offset x27, 128
    .cfi_rel_offset x28, 136
    .cfi_rel_offset x29, 144
    .cfi_rel_offset x30, 152
    mov     x9, sp
    str     x9, [x0]
    mov     sp, x1
    ldp     d8, d9, [sp, #0]
    ldp     d10, d11, [sp, #16]
    ldp     d12, d13, [sp, #32]
    ldp     d14, d15, [sp, #48]
    ldp     x19, x20, [sp, #64]
    ldp     x21, x22, [sp, #80]
    ldp     x23, x24, [sp, #96]
    ldp     x25, x26, [sp, #112]
    ldp     x27, x28, [sp, #128]
    ldp     x29, x9, [sp, #144]
    add     sp, sp, #160
    .cfi_adjust_cfa_offset -160
    .cfi_register x30, x9
    br      x9
    .cfi_endproc
    .size   fiber_switch, . - fiber_switch

/* Where a new stack begins: x19 holds the argument, x20 the function. */
    .globl  fiber_entry
    .hidden fiber_entry
    .type   fiber_entry, %function
    .p2align 4
fiber_entry:
    .cfi_startproc
    .cfi_undefined x30
    mov     x0, x19
    blr     x20
    brk     #1
    .cfi_endproc
    .size   fiber_entry, . - fiber_entry

    .section .note.GNU-stack, "", %progbits
#endif
